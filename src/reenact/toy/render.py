"""Filming a toy world: colour, metric depth and labels per frame.

In: a `ToyWorld`, a pinhole camera and its path. Out: `ToyFrame`s one by one. Two GL contexts are open meanwhile: one
that smooths edges for the colour picture, one that does not for depth and labels.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.transforms import inverse
from reenact.hands.joints import LEFT
from reenact.rendering.renderer import OffscreenRenderer, RenderConfig, Surfaces
from reenact.scene.masks import MaskLabel
from reenact.toy.config import ToyConfig
from reenact.toy.script import Performance
from reenact.toy.world import ToyWorld

SHADOW_SIZE_PX = 2048
"""Side of the shadow map: 0.6 mm a texel; 1024 saves a sixth of the time and leaves jagged shadows on fingers."""
_GEOM, _SKIN = int(mujoco.mjtObj.mjOBJ_GEOM), int(mujoco.mjtObj.mjOBJ_SKIN)


@dataclass(frozen=True)
class ToyFrame:
    """One frame as the camera saw it."""

    rgb: UInt8[np.ndarray, "h w 3"]
    depth: Float32[np.ndarray, "h w"]
    """z in the camera frame, metres; 0 where no surface is."""
    mask: UInt8[np.ndarray, "h w"]
    """`MaskLabel` codes."""


def film(
    config: ToyConfig,
    world: ToyWorld,
    performance: Performance,
    camera: PinholeCamera,
    T_world_camera: Float64[np.ndarray, "t 4 4"],
) -> Iterator[ToyFrame]:
    """Render every frame.

    Raises:
        NoGlError: this machine has no offscreen GL.
    """
    plain = RenderConfig(width_px=config.width_px, height_px=config.height_px)
    smooth = dataclasses.replace(
        plain, samples=config.samples, shadows=config.shadows, shadow_size_px=SHADOW_SIZE_PX
    )
    K = camera.K
    with contextlib.ExitStack() as stack:
        colour = stack.enter_context(OffscreenRenderer(world.model, smooth))
        sharp = stack.enter_context(OffscreenRenderer(world.model, plain))
        for frame, T in enumerate(T_world_camera):
            world.pose(frame)
            colour.look(world.data, K, T)
            rgb = colour.rgb()
            sharp.look(world.data, K, T)
            surfaces = sharp.surfaces()
            depth = np.where(surfaces.hit, surfaces.depth, 0).astype(np.float32)
            yield ToyFrame(rgb, depth, _label(world, performance, frame, surfaces, camera, T))


def _label(
    world: ToyWorld,
    performance: Performance,
    frame: int,
    surfaces: Surfaces,
    camera: PinholeCamera,
    T: np.ndarray,
) -> np.ndarray:
    geom = surfaces.hit & (surfaces.object_type == _GEOM)
    mask = np.zeros(surfaces.hit.shape, np.uint8)
    mask[geom] = world.geom_label[surfaces.object_idx[geom]]
    skin = surfaces.hit & (surfaces.object_type == _SKIN)
    for skin_idx, side in world.skin_side.items():
        rows, columns = np.nonzero(skin & (surfaces.object_idx == skin_idx))
        z = surfaces.depth[rows, columns]
        T_wrist_camera = inverse(performance.T_world_wrist[frame, side]) @ T
        distal = _points(camera, rows, columns, z) @ T_wrist_camera[0, :3] + T_wrist_camera[0, 3]
        hand = (distal if side == LEFT else -distal) >= 0
        mask[rows, columns] = np.where(hand, MaskLabel.HAND_LEFT + side, MaskLabel.ARM_LEFT + side)
    return mask


def _points(camera: PinholeCamera, rows: np.ndarray, columns: np.ndarray, z: np.ndarray) -> np.ndarray:
    x, y = (columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy
    return np.stack([x * z, y * z, z], axis=-1)
