"""One offscreen renderer: colour, metric depth and surface identity through an exact pinhole camera.

Cameras are ours (OpenCV: x right, y down, z forward), given as ``K`` and ``T_world_camera``, so a rendered
pixel is where ``K`` says it is: principal point, unequal focal lengths and all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, UInt8

from reenact.rendering.gl import NoGlError, choose_backend

SAMPLES_SMOOTH = 4
"""Multisampling that removes stair-steps; costs about four times the fill time on a software GL."""


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """What a picture costs and shows."""

    width_px: int = 640
    """Image width."""
    height_px: int = 480
    """Image height."""
    samples: int = 0
    """Anti-aliasing samples per pixel (0 = off). On a CPU, 0 is several times faster."""
    shadows: bool = False
    """Cast shadows from the model's lights."""
    shadow_size_px: int = 2048
    """Side of the shadow map, used when ``shadows`` is on."""
    reflections: bool = False
    """Mirror reflections of reflective materials."""
    geom_groups: tuple[int, ...] = (0, 1, 2)
    """MuJoCo geom groups drawn (2 = visual, 3 = collision by our convention)."""
    near: float = 0.02
    """Nearest depth drawn, metres."""
    far: float = 30.0
    """Farthest depth drawn, metres."""
    max_geoms: int = 4000
    """Most geoms drawn at once."""


@dataclass(frozen=True)
class Surfaces:
    """What each pixel sees. Where ``hit`` is false the other three mean nothing."""

    depth: Float32[np.ndarray, "h w"]
    """z in the camera frame, metres."""
    hit: Bool[np.ndarray, "h w"]
    """Whether the ray meets a surface nearer than ``far``."""
    object_type: Int32[np.ndarray, "h w"]
    """``mujoco.mjtObj`` of the surface (geom, skin, flex...)."""
    object_idx: Int32[np.ndarray, "h w"]
    """Index of the geom (or skin...) in the model."""


class OffscreenRenderer:
    """Renders one model; use as a context manager. Call ``look``, then read images."""

    def __init__(self, model: mujoco.MjModel, config: RenderConfig | None = None) -> None:
        """Opens the GL context and uploads the model.

        Raises:
            NoGlError: no working GL on this machine.
        """
        self.config = config or RenderConfig()
        self._model = model
        self._gl: Any = None
        self._context: Any = None
        self._scene = mujoco.MjvScene(model=model, maxgeom=self.config.max_geoms)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[list(self.config.geom_groups)] = 1
        self._rect = mujoco.MjrRect(0, 0, self.config.width_px, self.config.height_px)
        self._open(model)
        self._set_flags()

    def _open(self, model: mujoco.MjModel) -> None:
        config = self.config
        backend = choose_backend()
        try:
            self._gl = backend.context_class(config.width_px, config.height_px)
            self._gl.make_current()
        except (ImportError, RuntimeError) as err:
            raise NoGlError(f"{backend.name} context failed: {err}", hint="check the GL driver") from err
        kept = _swap_visual_settings(
            model, (config.width_px, config.height_px, config.samples, config.shadow_size_px)
        )
        try:
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        finally:
            _swap_visual_settings(model, kept)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR

    def _set_flags(self) -> None:
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = self.config.shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = self.config.reflections

    def look(
        self,
        data: mujoco.MjData,
        K: Float[np.ndarray, "3 3"],
        T_world_camera: Float[np.ndarray, "4 4"],
    ) -> None:
        """Takes the state of ``data`` and places the camera.

        Args:
            K: intrinsics in pixels of this image size (no skew), OpenCV's convention: pixel (0, 0) is the
                centre of the top left pixel, so the middle of a w-wide image is ``cx = (w - 1) / 2``.
            T_world_camera: OpenCV camera in the world.
        """
        self._update(data, mujoco.MjvCamera())
        for camera in self._scene.camera:
            self._aim(camera, K, T_world_camera)
        for light in self._scene.lights[: self._scene.nlight]:
            if light.headlight:
                light.pos, light.dir = T_world_camera[:3, 3], T_world_camera[:3, 2]

    def _update(self, data: mujoco.MjData, camera: mujoco.MjvCamera) -> None:
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._option, None, camera, everything, self._scene)

    def _aim(self, camera: Any, K: np.ndarray, T_world_camera: np.ndarray) -> None:
        near = self.config.near
        fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2] + 0.5, K[1, 2] + 0.5  # from the image's corner
        width_px, height_px = self.config.width_px, self.config.height_px
        camera.pos = T_world_camera[:3, 3]
        camera.forward = T_world_camera[:3, 2]
        camera.up = -T_world_camera[:3, 1]
        camera.frustum_near, camera.frustum_far = near, self.config.far
        camera.frustum_center = near * (width_px / 2 - cx) / fx
        camera.frustum_width = near * width_px / 2 / fx
        camera.frustum_top = near * cy / fy
        camera.frustum_bottom = -near * (height_px - cy) / fy
        camera.orthographic = 0

    def rgb(self) -> UInt8[np.ndarray, "h w 3"]:
        """The colour picture of the last ``look``."""
        self._draw()
        image = np.empty((self.config.height_px, self.config.width_px, 3), np.uint8)
        mujoco.mjr_readPixels(image, None, self._rect, self._context)
        return np.ascontiguousarray(image[::-1])

    def surfaces(self) -> Surfaces:
        """Depth and identity of the last ``look``, in one pass and without anti-aliasing."""
        shape = (self.config.height_px, self.config.width_px)
        code, depth = np.empty((*shape, 3), np.uint8), np.empty(shape, np.float32)
        flags = self._scene.flags.copy()
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = True
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = True
        try:
            self._draw()
        finally:
            np.copyto(self._scene.flags, flags)
        mujoco.mjr_readPixels(code, depth, self._rect, self._context)
        return self._decode(code[::-1], depth[::-1])

    def _decode(self, code: np.ndarray, depth: np.ndarray) -> Surfaces:
        seen = code.astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], np.int32)
        table = np.zeros((self._scene.ngeom + 1, 2), np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.segid >= 0:
                table[geom.segid + 1] = geom.objtype, geom.objid
        camera = self._scene.camera[0]
        near, far = float(camera.frustum_near), float(camera.frustum_far)
        metres = near * far / (near + depth.astype(np.float64) * (far - near))
        return Surfaces(metres.astype(np.float32), seen > 0, table[seen, 0], table[seen, 1])

    def _draw(self) -> None:
        if self._context is None:
            raise RuntimeError("this renderer was closed; make a new one")
        self._gl.make_current()
        mujoco.mjr_render(self._rect, self._scene, self._context)

    def show_back_faces(self) -> None:
        """Draws faces from both sides, so that the winding of a mesh does not matter."""
        self._scene.flags[mujoco.mjtRndFlag.mjRND_CULL_FACE] = False

    def upload_mesh(self, mesh_idx: int) -> None:
        """Shows what was changed in the vertices of one of the model's meshes."""
        self._gl.make_current()
        mujoco.mjr_uploadMesh(self._model, self._context, mesh_idx)

    def close(self) -> None:
        """Frees the GL context; safe to call twice."""
        if self._context is not None:
            self._gl.make_current()
            self._context.free()
            self._context = None
        if self._gl is not None:
            self._gl.free()
            self._gl = None

    def __enter__(self) -> OffscreenRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _swap_visual_settings(model: mujoco.MjModel, new: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Sets offscreen size, samples and shadow size; returns what was there, to be put back."""
    window, quality = model.vis.global_, model.vis.quality
    old = (window.offwidth, window.offheight, quality.offsamples, quality.shadowsize)
    window.offwidth, window.offheight, quality.offsamples, quality.shadowsize = new
    return old


def look_at(eye: Float[np.ndarray, "3"], target: Float[np.ndarray, "3"]) -> Float[np.ndarray, "4 4"]:
    """``T_world_camera`` of a level OpenCV camera at ``eye`` looking at ``target`` (world +z up)."""
    forward = np.asarray(target, float) - np.asarray(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-9:
        right = np.array([0.0, -1.0, 0.0])
    right /= np.linalg.norm(right)
    T_world_camera = np.eye(4)
    T_world_camera[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    T_world_camera[:3, 3] = eye
    return T_world_camera
