"""The hand against measured depth: how far it really is.

Measured depth sees skin, not joints. So the skin is drawn where the hand is thought to be and compared with the depth
pixel by pixel, inside the hand's mask and where both see the hand; fingers behind an object do not count. The rule of
the seed's code (`joint_median_shift`) takes the depth at five joints' pixels for the joints' own and is kept here to
compare with: it is off by the thickness of the hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.hands.mesh import HandMesh
from reenact.hands.posed import skin_of_joints
from reenact.rendering.mesh_depth import MeshDepthRenderer, View

LEAST_PIXELS = 20
"""Fewer pixels of a hand say nothing of its depth."""
_THICK = (0, 5, 9, 13, 17)


@dataclass(frozen=True)
class HandShift:
    """How much farther along its line of sight the hand is."""

    shift: Float64[np.ndarray, " 3"]
    """Camera frame (m)."""
    sigma: float
    """One-sigma along the line of sight (m), of the comparison alone."""
    count: int
    """Pixels compared; 0: nothing could be, and the shift is zero."""


class HandDepth:
    """Draws hands; use as a context manager. `view` is that of the measured depth pictures."""

    def __init__(self, view: View) -> None:
        """Raises NoGlError without offscreen GL."""
        self.view = view
        meshes = [(HandMesh.load(side).vertices_rest, HandMesh.load(side).faces) for side in (0, 1)]
        self._renderer = MeshDepthRenderer(view, meshes)

    def drawn(
        self, joints_camera: Float[np.ndarray, "21 3"], side: int, hand_length: float
    ) -> Float[np.ndarray, "h w"]:
        """Depth of the skin, 0 elsewhere."""
        return self.drawn_skin(skin_of_joints(joints_camera, side, hand_length), side)

    def drawn_skin(self, skin_camera: Float[np.ndarray, "v 3"], side: int) -> Float[np.ndarray, "h w"]:
        """The same of vertices as in `HandMesh.load(side)`."""
        self._renderer.reshape(side, skin_camera)
        return self._renderer.render(np.tile(np.eye(4), (2, 1, 1)), np.arange(2) == side).depth

    def ratio(
        self,
        joints_camera: Float[np.ndarray, "21 3"],
        side: int,
        hand_length: float,
        depth: Float[np.ndarray, "h w"],
        mask: Bool[np.ndarray, "h w"],
    ) -> tuple[float, float, int]:
        """Median of measured over drawn depth where both see the hand, its one-sigma, and the number of pixels."""
        return skin_ratio(self.drawn(joints_camera, side, hand_length), depth, mask)

    def align(
        self,
        joints_camera: Float[np.ndarray, "21 3"],
        side: int,
        hand_length: float,
        depth: Float[np.ndarray, "h w"],
        mask: Bool[np.ndarray, "h w"],
        rounds: int = 3,
    ) -> HandShift:
        """The shift along the line of sight that lays the drawn skin on the measured depth; the hand keeps its size."""
        start = joints_camera.mean(0)
        joints, sigma, count = np.array(joints_camera, float), 1.0, 0
        for _ in range(rounds):
            factor, sigma, count = self.ratio(joints, side, hand_length, depth, mask)
            if count < LEAST_PIXELS:
                return HandShift(np.zeros(3), 1.0, 0)
            joints = joints + joints.mean(0) * (factor - 1.0)
        return HandShift(joints.mean(0) - start, sigma * float(joints[:, 2].mean()), count)

    def close(self) -> None:
        """Frees the GL context."""
        self._renderer.close()

    def __enter__(self) -> HandDepth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def skin_ratio(
    drawn: Float[np.ndarray, "h w"], depth: Float[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"]
) -> tuple[float, float, int]:
    """Median of measured over drawn depth where both see the hand, its one-sigma, and the number of pixels; (1, 1, n)
    with fewer than `LEAST_PIXELS`."""
    both = mask & (depth > 0) & (drawn > 0)
    if both.sum() < LEAST_PIXELS:
        return 1.0, 1.0, int(both.sum())
    ratio = depth[both].astype(np.float64) / drawn[both]
    middle = float(np.median(ratio))
    noise = 1.48 * float(np.median(np.abs(ratio - middle)))
    return middle, noise / float(np.sqrt(min(len(ratio), 50))), len(ratio)


def joint_median_shift(
    joints_camera: Float[np.ndarray, "21 3"], depth: Float[np.ndarray, "h w"], view: View, patch_px: int = 7
) -> HandShift:
    """EgoInfinity's rule, to compare with: depth in a 7 x 7 median patch at wrist and knuckles (0, 5, 9, 13, 17) is
    taken for the joint's own, back-projected, and the component-wise median over the joints moves the hand."""
    moves = []
    for joint in _THICK:
        p = joints_camera[joint]
        u, v = np.rint(p[:2] / p[2] * [view.K[0, 0], view.K[1, 1]] + view.K[:2, 2]).astype(int)
        half = patch_px // 2
        part = depth[max(v - half, 0) : v + half + 1, max(u - half, 0) : u + half + 1]
        known = part[part > 0.01]
        if len(known) == 0:
            continue
        z = float(np.median(known))
        moves.append(
            np.array([(u - view.K[0, 2]) / view.K[0, 0] * z, (v - view.K[1, 2]) / view.K[1, 1] * z, z]) - p
        )
    if len(moves) < 2:
        return HandShift(np.zeros(3), 1.0, 0)
    return HandShift(np.median(moves, axis=0), float(np.std([m[2] for m in moves])), len(moves))
