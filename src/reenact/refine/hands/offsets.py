"""Where a landmark net's points lie about the joints: its knuckles are on the back of the hand, not in the joint.

A net's points are not the joints of our skeleton. Taken for them, the palm looks larger than it is and the hand is put
too near. The fit therefore compares the picture with joint + offset; the joints that come out are still the skeleton's.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import LEFT
from reenact.hands.skeleton import HandSkeleton

_PALM = np.array([0, 1, 5, 9, 13, 17])
_PLAIN_MM = np.array([
    [1.5, 1.5, -3.5],
    [0.0, -1.0, 4.0], [-4.5, 0.0, 1.0], [-4.5, 0.0, 1.5], [-2.5, 1.0, 0.5],
    [-1.0, 6.5, -0.5], [0.0, 1.5, 0.0], [1.0, 0.5, 0.0], [-0.5, 0.5, 0.0],
    [-3.5, 7.5, -1.5], [-1.0, 2.5, -1.5], [-1.5, -0.5, -0.5], [-1.5, -1.0, 0.5],
    [-2.5, 7.0, -2.0], [-1.5, 2.0, -1.5], [-2.5, -0.5, 0.5], [-3.5, -1.5, 2.0],
    [-2.5, 4.0, -1.0], [-1.0, 1.5, 0.0], [-1.0, 1.5, 2.5], [-3.0, 2.5, 3.5],
])  # fmt: skip
"""To the tip, to the back, to the thumb side, for a hand of 0.189 m; of the wrist, the thumb's base and the knuckles in
the wrist's axes, of the others in the axes of the bone that ends there. Fitted to rendered clips with exact truth (33
recordings, 66 hands); two halves of them agree within 2 mm at the knuckles and 6 mm at the wrist. Where it was not
fitted, on other clips, real stereo and studio hands, it takes away the same bias (benchmarks/results/hand_bias.md)."""
_TOWARD_MM = np.array([
    [-2.0, 5.5, 0.0],
    [-2.5, 5.0, -1.0], [-2.0, 3.0, -0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5],
    [-2.0, 3.0, 2.5], [-1.5, 0.5, 1.5], [-1.0, 0.0, 1.5], [0.0, 0.5, 1.0],
    [0.0, 3.5, 2.0], [0.0, 1.0, 1.0], [1.0, 2.0, 0.5], [1.0, 2.5, 0.0],
    [0.5, 3.0, 1.5], [-0.5, 1.5, 0.0], [0.5, 1.5, -1.0], [1.0, 2.5, -2.0],
    [-1.0, 3.0, 1.0], [-1.0, 1.0, -0.5], [-1.0, 1.0, -3.0], [-1.0, 1.5, -3.5],
])  # fmt: skip
"""Added where the fingers point to the camera, taken off where they point away from it; fitted with the former."""
_SATURATES = 0.7
"""Cosine between fingers and line of sight from which on the second table counts fully."""


def offsets_of(backend: str) -> Float64[np.ndarray, "2 j=21 3"]:
    """Offsets (m) of a landmark backend by its name: always, and with fingers to the camera (with the other sign: away
    from it). None for backends that give joints (truth, simulations)."""
    both = np.stack([_PLAIN_MM, _TOWARD_MM]) * 1e-3
    return both if is_measured_net(backend) else np.zeros_like(both)


def is_measured_net(backend: str) -> bool:
    """Whether it is a net whose habits (offsets, slow errors of distance) were measured. What other backends give is
    taken for joints with random errors only, as truth and simulations give them."""
    return backend.startswith("mediapipe-hands")


class LandmarkOffsets:
    """The offsets of one skeleton's landmarks as functions of the angles; wrist frame, metres."""

    def __init__(self, skeleton: HandSkeleton, offsets: Float64[np.ndarray, "2 j=21 3"]) -> None:
        frames, left = skeleton.rest_frames, skeleton.side == LEFT
        self._distal, self._dorsal, self._third = frames[..., 0], frames[..., 1], frames[..., 2]
        self._sign = -1.0 if left else 1.0
        scaled = offsets * skeleton.scale
        self._palm = scaled[:, _PALM] * np.array([-self._sign, 1.0, 1.0])
        self._fingers = scaled[:, 1:].reshape(2, 5, 4, 3)[:, :, 1:] * np.array([1.0, 1.0, -self._sign])
        self._middle = skeleton.rest_joints_wrist[9]

    def toward(
        self, R_camera_wrist: Float64[np.ndarray, "n 3 3"], t_camera: Float64[np.ndarray, "n 3"]
    ) -> Float64[np.ndarray, " n"]:
        """1: the fingers point to the camera, -1: away from it."""
        palm = t_camera + R_camera_wrist @ self._middle
        sight = palm / np.maximum(np.linalg.norm(palm, axis=-1, keepdims=True), 1e-9)
        forearm = self._sign * R_camera_wrist[:, :, 0]
        return np.asarray(np.clip((forearm * sight).sum(axis=-1) / _SATURATES, -1.0, 1.0))

    def with_derivatives(
        self, angles: Float64[np.ndarray, "n 20"], toward: Float64[np.ndarray, " n"]
    ) -> tuple[Float64[np.ndarray, "n j=21 3"], Float64[np.ndarray, "n f=5 k=4 3 a=4"]]:
        """Offset of every landmark, and d(offset k of finger f) / d(angle a of finger f). Which way the hand points
        (`toward`) changes too slowly to be followed by derivatives."""
        each = toward[:, None, None, None]
        fingers = self._fingers[0] + each * self._fingers[1]
        along, up, beside = fingers[..., :1], fingers[..., 1:2], fingers[..., 2:]
        n, a = len(angles), angles.reshape(len(angles), 5, 4)
        bend = np.stack([a[..., 0], a[..., 0] + a[..., 2], a[..., 0] + a[..., 2] + a[..., 3]], axis=-1)
        spread = self._sign * a[..., 1, None]
        cos, sin = np.cos(bend)[..., None], np.sin(bend)[..., None]
        forward = (np.cos(spread) * self._distal - np.sin(spread) * self._third)[:, :, None]
        aside = (np.sin(spread) * self._distal + np.cos(spread) * self._third)[:, :, None]
        dorsal = self._dorsal[:, None]
        bone, back = cos * forward - sin * dorsal, sin * forward + cos * dorsal
        by_bend = up * bone - along * back
        by_spread = self._sign * (beside * forward - (along * cos + up * sin) * aside)
        out, slope = np.zeros((n, 21, 3)), np.zeros((n, 5, 4, 3, 4))
        out[:, 1:].reshape(n, 5, 4, 3)[:, :, 1:] = along * bone + up * back + beside * aside
        out[:, _PALM] = self._palm[0] + each[..., 0] * self._palm[1]
        for first, angle in ((1, 0), (2, 2), (3, 3)):
            slope[:, :, first:, :, angle] = by_bend[:, :, first - 1 :]
        slope[:, :, 1:, :, 1] = by_spread
        return out, slope
