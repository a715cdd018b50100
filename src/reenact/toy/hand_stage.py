"""A stage for one posed hand with exact truth: wood floor, one directional light, head light, shadows.

In: angles, side, camera. Out: a picture, the true joints in it and how much of each finger is seen. Used to measure
how well hand-landmark nets see our hand (benchmarks/toy_hand_detection.py) and by the test that guards it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8

from reenact.geometry.rotations import so3_exp
from reenact.hands.appearance import SkinTone
from reenact.hands.joints import LEFT, SIDES
from reenact.hands.mesh import HandMesh
from reenact.hands.skeleton import HandSkeleton
from reenact.rendering.renderer import OffscreenRenderer, RenderConfig
from reenact.toy.hand_geometry import HandSkin, encode_png, hand_skin_xml
from reenact.toy.textures import Rgb, wood

FOV_X_DEG = 60.0
"""Horizontal field of view, a phone's main lens."""
OCCLUSION_SLACK = 0.004
"""How far behind the drawn surface a vertex may lie and still count as seen (m)."""
FLOOR_BELOW = 0.22
"""Floor under the hand (m)."""


@dataclass(frozen=True)
class HandView:
    """One picture of one hand and the truth about it."""

    image: UInt8[np.ndarray, "h w 3"]
    joints_px: Float64[np.ndarray, "j=21 2"]
    """Exact joints in the image, pixel centres at whole numbers."""
    joints_camera: Float64[np.ndarray, "j=21 3"]
    R_camera_wrist: Float64[np.ndarray, "3 3"]
    seen: Float64[np.ndarray, "f=5"]
    """Share of each finger's vertices that no other surface hides (half of a free finger faces away)."""
    palm_axis_deg: float
    """Angle between the viewing ray and the nearer of the palm's and the back's normal; 0 = face on."""

    def is_clear(self, max_axis_deg: float = 60.0, min_seen: float = 0.12) -> bool:
        """Palm or back within `max_axis_deg` of the camera and at least `min_seen` of every finger in sight."""
        return self.palm_axis_deg <= max_axis_deg and bool((self.seen >= min_seen).all())


CAMERA_PITCH_DEG = 35.0
"""How far the stage's camera looks down."""


def place(
    side: int,
    direction_wrist: Float[np.ndarray, "3"],
    roll: float,
    distance: float,
    ray_camera: Float[np.ndarray, "3"],
) -> tuple[Float64[np.ndarray, "4 4"], Float64[np.ndarray, "4 4"]]:
    """`T_world_wrist` and `T_world_camera` that show a hand from a given side.

    Args:
        side: 0 left, 1 right.
        direction_wrist: from the hand to the camera; x to the fingers, y to the back, z to the thumb, on both sides.
        roll: turn of the hand about the viewing ray (rad).
        distance: camera to the middle of the palm (m).
        ray_camera: where in the picture the hand appears, [0 0 1] = in the middle.
    """
    pitch = np.deg2rad(CAMERA_PITCH_DEG)
    forward, right = np.array([np.cos(pitch), 0.0, -np.sin(pitch)]), np.array([0.0, -1.0, 0.0])
    R_world_camera = np.stack([right, np.cross(forward, right), forward], axis=1)
    ray = np.asarray(ray_camera, float) / np.linalg.norm(ray_camera)
    T_world_camera, T_world_wrist = np.eye(4), np.eye(4)
    T_world_camera[:3, :3], T_world_camera[:3, 3] = R_world_camera, -R_world_camera @ ray * distance
    to_fingers = 1.0 if side == LEFT else -1.0
    to_camera = np.asarray(direction_wrist, float) * [to_fingers, 1.0, 1.0]
    R_camera_wrist = so3_exp(ray * roll) @ _basis(-ray) @ _basis(to_camera / np.linalg.norm(to_camera)).T
    T_world_wrist[:3, :3] = R_world_camera @ R_camera_wrist
    T_world_wrist[:3, 3] = -T_world_wrist[:3, :3] @ [0.085 * to_fingers, -0.01, 0.0]
    return T_world_wrist, T_world_camera


def _basis(first: np.ndarray) -> np.ndarray:
    """Some rotation whose first column is `first`."""
    second = np.cross(first, np.eye(3)[np.argmin(np.abs(first))])
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def intrinsics(width_px: int, height_px: int) -> Float64[np.ndarray, "3 3"]:
    """`K` of the stage's camera."""
    focal = width_px / 2 / np.tan(np.deg2rad(FOV_X_DEG) / 2)
    return np.array([[focal, 0, (width_px - 1) / 2], [0, focal, (height_px - 1) / 2], [0, 0, 1]])


class HandStage:
    """Renders one hand at a time, at the world origin; use as a context manager."""

    def __init__(
        self,
        width_px: int = 640,
        height_px: int = 480,
        *,
        seed: int = 0,
        floor: Rgb = (0.50, 0.36, 0.25),
        tone: SkinTone | None = None,
    ) -> None:
        """Builds the model and opens the renderer; `seed` decides the grain, `floor` the colour of the wood."""
        self.K = intrinsics(width_px, height_px)
        self._model = mujoco.MjModel.from_xml_string(*_stage_xml(seed, floor, tone))
        self._data = mujoco.MjData(self._model)
        mujoco.mj_forward(self._model, self._data)
        self._skins = [HandSkin(self._model, side) for side in range(len(SIDES))]
        config = RenderConfig(width_px=width_px, height_px=height_px, samples=4, shadows=True)
        self._renderer = OffscreenRenderer(self._model, config)

    def view(
        self,
        side: int,
        angles: Float[np.ndarray, "20"],
        T_world_wrist: np.ndarray,
        T_world_camera: np.ndarray,
    ) -> HandView:
        """Renders a hand; the other hand is hidden."""
        skeleton, mesh = HandSkeleton.adult(side), HandMesh.load(side)
        vertices = mesh.pose(skeleton, angles, T_world_wrist)
        self._skins[1 - side].hide()
        self._skins[side].show(vertices)
        self._renderer.look(self._data, self.K, T_world_camera)
        image, depth = self._renderer.rgb(), self._renderer.surfaces().depth
        joints = _to(T_world_camera, T_world_wrist, skeleton.joints_wrist(angles))
        middle = joints[[0, 5, 9, 13, 17]].mean(0)
        normal = T_world_camera[:3, :3].T @ T_world_wrist[:3, 1]
        cosine = abs(normal @ middle) / np.linalg.norm(middle)
        return HandView(
            image=image,
            joints_px=self._project(joints),
            joints_camera=joints,
            R_camera_wrist=T_world_camera[:3, :3].T @ T_world_wrist[:3, :3],
            seen=self._seen(mesh, (vertices - T_world_camera[:3, 3]) @ T_world_camera[:3, :3], depth),
            palm_axis_deg=float(np.rad2deg(np.arccos(np.clip(cosine, 0, 1)))),
        )

    def _project(self, points_camera: np.ndarray) -> np.ndarray:
        return points_camera[:, :2] / points_camera[:, 2:] * self.K[[0, 1], [0, 1]] + self.K[:2, 2]

    def _seen(self, mesh: HandMesh, vertices_camera: np.ndarray, depth: np.ndarray) -> np.ndarray:
        height, width = depth.shape
        column, row = np.rint(self._project(vertices_camera)).astype(int).T
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        drawn = depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
        visible = inside & (vertices_camera[:, 2] < drawn + OCCLUSION_SLACK)
        return np.array([visible[part].mean() for part in finger_parts(mesh)])

    def close(self) -> None:
        """Frees the renderer."""
        self._renderer.close()

    def __enter__(self) -> HandStage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def finger_parts(mesh: HandMesh) -> Bool[np.ndarray, "f=5 v"]:
    """Which vertices belong to the free part of each finger (past the web; thumb: past its metacarpal)."""
    parts = []
    for finger in range(5):
        bones = [1 + 3 * finger + k for k in ((1, 2) if finger == 0 else (0, 1, 2))]
        parts.append(mesh.weights[:, [*bones, *(15 + b for b in bones[1:])]].sum(1) > 0.6)
    return np.stack(parts)


def _to(T_world_camera: np.ndarray, T_world_wrist: np.ndarray, points_wrist: np.ndarray) -> np.ndarray:
    T = np.linalg.inv(T_world_camera) @ T_world_wrist
    return points_wrist @ T[:3, :3].T + T[:3, 3]


def _stage_xml(seed: int, colour: Rgb, tone: SkinTone | None) -> tuple[str, dict[str, Any]]:
    floor = wood(np.random.default_rng(seed), 512, 6, colour)
    hands = [hand_skin_xml(side, tone) for side in range(len(SIDES))]
    files = {"floor.png": encode_png(floor)}
    for hand in hands:
        files |= hand.files
    xml = f"""<mujoco>
<statistic center="0 0 0" extent="0.5"/>
<visual><headlight ambient=".38 .38 .38" diffuse=".30 .30 .30" specular=".1 .1 .1"/><map znear="0.02" zfar="40"/></visual>
<asset><texture name="floor" type="2d" file="floor.png"/>
<material name="floor" texture="floor" texrepeat="2 2" texuniform="true" specular="0.1"/>
{"".join(h.asset for h in hands)}</asset>
<worldbody><light directional="true" pos="-0.6 -0.4 1.5" dir="0.35 0.25 -1" diffuse=".48 .47 .44" specular=".2 .2 .2"/>
<geom type="plane" size="6 6 .1" pos="0 0 -{FLOOR_BELOW}" material="floor"/></worldbody>
<deformable>{"".join(h.deformable for h in hands)}</deformable></mujoco>"""
    return xml, files
