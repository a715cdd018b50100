"""Metric depth and identity of meshes in front of a camera: what an object or a hand would look like to a depth camera.

In: triangle meshes and where they stand in the camera's frame. Out: z per pixel and which mesh is seen. Drawn by the
z-buffer of an offscreen GL, so a picture of 160 x 120 pixels takes about a millisecond on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt8

from reenact.errors import InputError
from reenact.rendering.renderer import OffscreenRenderer, RenderConfig

_OUT_OF_SIGHT = np.array([0.0, 0.0, -1e3])


class UnusableMesh(InputError):
    """A mesh has no faces, faces of vertices that are not there, or values that are not finite."""


@dataclass(frozen=True)
class MeshPicture:
    """What each pixel sees."""

    depth: Float32[np.ndarray, "h w"]
    """z in the camera's frame (m); 0 where no mesh is."""
    label: UInt8[np.ndarray, "h w"]
    """1 + index of the mesh seen; 0 where none is."""


@dataclass(frozen=True)
class View:
    """A pinhole view: size and intrinsics (integer pixel centres)."""

    K: Float[np.ndarray, "3 3"]
    width_px: int
    height_px: int

    @staticmethod
    def of(params: Float[np.ndarray, "4"], width_px: int, height_px: int) -> View:
        """From fx fy cx cy."""
        fx, fy, cx, cy = (float(v) for v in params)
        return View(np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]), width_px, height_px)

    def resized(self, width_px: int, height_px: int) -> View:
        """The same field of view in another number of pixels (pixel edges keep their place)."""
        return self.cut((-0.5, -0.5, self.width_px - 0.5, self.height_px - 0.5), width_px, height_px)

    def cut(self, box_px: tuple[float, float, float, float], width_px: int, height_px: int) -> View:
        """The part between the edges x0 y0 x1 y1 (pixels of this view), drawn in `width_px` x `height_px`."""
        x0, y0, x1, y1 = box_px
        sx, sy = width_px / (x1 - x0), height_px / (y1 - y0)
        K = np.array(self.K, float)
        K[0], K[1] = K[0] * sx, K[1] * sy
        K[0, 2] = (self.K[0, 2] - x0) * sx - 0.5
        K[1, 2] = (self.K[1, 2] - y0) * sy - 0.5
        return View(K, width_px, height_px)


class MeshDepthRenderer:
    """Draws the same meshes again and again; use as a context manager (it holds a GL context)."""

    def __init__(
        self,
        view: View,
        meshes: Sequence[tuple[Float[np.ndarray, "_v 3"], Int64[np.ndarray, "_f 3"]]],
        *,
        near: float = 0.02,
        far: float = 30.0,
    ) -> None:
        """Meshes are (vertices in their own frame (m), faces); the winding of the faces does not matter.

        Raises:
            UnusableMesh: a mesh that cannot be drawn.
            NoGlError: no working GL on this machine.
        """
        self.view = view
        self._model, self._starts = _model(meshes)
        self._data = mujoco.MjData(self._model)
        self._where = [_local_frame(self._model, i) for i in range(len(meshes))]
        config = RenderConfig(width_px=view.width_px, height_px=view.height_px, near=near, far=far)
        self._renderer = OffscreenRenderer(self._model, config)
        self._renderer.show_back_faces()

    @property
    def mesh_count(self) -> int:
        """How many meshes it draws."""
        return len(self._where)

    def render(
        self,
        T_camera_object: Float[np.ndarray, "o 4 4"],
        shown: Bool[np.ndarray, " o"] | None = None,
        view: View | None = None,
    ) -> MeshPicture:
        """One picture.

        Args:
            T_camera_object: place of each mesh in the camera's frame.
            shown: meshes to leave out are False; all are drawn without it.
            view: other intrinsics for this picture, of the same size (a close-up of one object, say).
        """
        for i, T in enumerate(T_camera_object):
            draw = shown is None or bool(shown[i])
            self._data.mocap_pos[i] = T[:3, 3] if draw else _OUT_OF_SIGHT
            mujoco.mju_mat2Quat(self._data.mocap_quat[i], np.ascontiguousarray(T[:3, :3], float).ravel())
        mujoco.mj_kinematics(self._model, self._data)
        self._renderer.look(self._data, (view or self.view).K, np.eye(4))
        seen = self._renderer.surfaces()
        depth = np.where(seen.hit, seen.depth, 0).astype(np.float32)
        return MeshPicture(depth, np.where(seen.hit, seen.object_idx + 1, 0).astype(np.uint8))

    def reshape(self, mesh_idx: int, vertices: Float[np.ndarray, "_v 3"]) -> None:
        """Give a mesh other vertices (same number and order): a hand in its next posture."""
        first, last = self._starts[mesh_idx : mesh_idx + 2]
        if len(vertices) != last - first:
            raise UnusableMesh(f"mesh {mesh_idx} got {len(vertices)} vertices", hint=f"it has {last - first}")
        position, R = self._where[mesh_idx]
        self._model.mesh_vert[first:last] = (np.asarray(vertices, float) - position) @ R
        self._renderer.upload_mesh(mesh_idx)

    def close(self) -> None:
        """Frees the GL context."""
        self._renderer.close()

    def __enter__(self) -> MeshDepthRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _model(meshes: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[mujoco.MjModel, np.ndarray]:
    spec = mujoco.MjSpec()
    for i, (vertices, faces) in enumerate(meshes):
        _check(i, vertices, faces)
        spec.add_mesh(
            name=f"mesh{i}",
            uservert=np.ascontiguousarray(vertices, np.float32).ravel(),
            userface=np.ascontiguousarray(faces, np.int32).ravel(),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
        body = spec.worldbody.add_body(name=f"body{i}", mocap=True)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=f"mesh{i}", contype=0, conaffinity=0, group=2)
    try:
        model = spec.compile()
    except ValueError as error:
        raise UnusableMesh(f"a mesh cannot be drawn: {error}", hint="remove flat or doubled faces") from error
    return model, np.concatenate([model.mesh_vertadr, [len(model.mesh_vert)]])


def _check(mesh_idx: int, vertices: np.ndarray, faces: np.ndarray) -> None:
    if len(faces) == 0 or len(vertices) < 4:
        raise UnusableMesh(f"mesh {mesh_idx} has {len(vertices)} vertices and {len(faces)} faces")
    if not np.isfinite(vertices).all():
        raise UnusableMesh(f"mesh {mesh_idx} has vertices that are not finite")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise UnusableMesh(
            f"mesh {mesh_idx} has faces of vertices {faces.min()}..{faces.max()}",
            hint=f"there are {len(vertices)}",
        )


def _local_frame(model: mujoco.MjModel, mesh_idx: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the compiler moved the mesh's frame: position and axes, in the given frame."""
    R = np.zeros(9)
    mujoco.mju_quat2Mat(R, model.mesh_quat[mesh_idx])
    return model.mesh_pos[mesh_idx].copy(), R.reshape(3, 3)
