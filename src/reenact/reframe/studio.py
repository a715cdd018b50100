"""The picture from the virtual camera: hands' skin, object meshes, contacts and the surface below, drawn and lit.

Only what the scene holds is drawn; a hand that was filled in is pale, an object without a known pose is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float, UInt8

from reenact.geometry.rotations import rotation_between
from reenact.geometry.transforms import make_T
from reenact.hands.joints import TIPS
from reenact.hands.mesh import HandMesh, vertex_normals
from reenact.reframe.follow import PALM
from reenact.reframe.ground import Ground
from reenact.reframe.skins import HandSkins
from reenact.rendering.palette import CONTACT_RGB, SKIN_RGB, object_rgb
from reenact.rendering.renderer import OffscreenRenderer, RenderConfig
from reenact.scene import CameraTrack, Scene, Source

CONTACT_RADIUS = 0.010
"""Of the dot at a touching fingertip (m): a little more than the fingertip's own, so that it is seen."""
FILLED_ALPHA = 0.45
LEAST_SURFACE = 1e-6
"""A mesh with less (m2) is a line or a point and is left out."""
GRID_STEP = 0.10
"""Side of the squares of the surface (m)."""
_FAR = np.array([0.0, 0.0, -1e3])


@dataclass(frozen=True)
class EgoLooks:
    """Cost and looks of the picture."""

    samples: int = 4
    """Anti-aliasing."""
    shadows: bool = True
    """Shadows on the surface tell how high a hand is above it."""


class EgoStudio:
    """Draws the frames of one scene from one virtual camera; use as a context manager."""

    def __init__(
        self,
        scene: Scene,
        ego: CameraTrack,
        up: Float[np.ndarray, "3"],
        ground: Ground,
        looks: EgoLooks | None = None,
    ) -> None:
        """Builds the meshes and opens the renderer.

        Raises:
            NoGlError: this machine cannot render.
        """
        looks = looks or EgoLooks()
        self.scene, self.ego = scene, ego
        self._T_display_scene = make_T(rotation_between(up, np.array([0.0, 0.0, 1.0])), np.zeros(3))
        self._skins = None if scene.hands is None else HandSkins.of(scene.hands)
        self._objects = [
            k
            for k in range(0 if scene.objects is None else len(scene.objects.object_ids))
            if _drawable(scene, k)
        ]
        self._model = self._build(ground)
        self._data = mujoco.MjData(self._model)
        self._hand_geoms = [int(self._model.body(f"hand{side}").geomadr[0]) for side in (0, 1)]
        self._frames = [_mesh_frame(self._model, side) for side in (0, 1)]
        render = RenderConfig(
            width_px=ego.width_px, height_px=ego.height_px, samples=looks.samples, shadows=looks.shadows
        )
        self._renderer = OffscreenRenderer(self._model, render)
        self._K = ego.camera().K

    def render(self, frame: int) -> UInt8[np.ndarray, "h w 3"]:
        """The picture of one frame."""
        for side in (0, 1):
            self._show_hand(frame, side)
        for body, k in enumerate(self._objects, start=2):
            self._show_object(frame, body, k)
        self._show_contacts(frame)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._renderer.look(self._data, self._K, self._T_display_scene @ self.ego.T_world_camera[frame])
        return self._renderer.rgb()

    def _show_hand(self, frame: int, side: int) -> None:
        hands = self.scene.hands
        known = hands is not None and bool(hands.valid[frame, side])
        self._data.mocap_pos[side] = 0.0 if known else _FAR
        if hands is None or self._skins is None or not known:
            return
        filled = hands.source[frame, side] == Source.FILLED
        self._model.geom_rgba[self._hand_geoms[side], 3] = FILLED_ALPHA if filled else 1.0
        vertices = self._skins.vertices(frame, side) @ self._T_display_scene[:3, :3].T
        self._reshape(side, vertices)

    def _reshape(self, side: int, vertices: np.ndarray) -> None:
        """New vertices and normals for a hand's mesh, in the frame the compiler gave it."""
        model, (position, R) = self._model, self._frames[side]
        faces = HandMesh.load(side).faces
        v0, n0, f0 = (int(a[side]) for a in (model.mesh_vertadr, model.mesh_normaladr, model.mesh_faceadr))
        model.mesh_vert[v0 : v0 + len(vertices)] = (vertices - position) @ R
        normals = vertex_normals(vertices, faces) @ R
        model.mesh_normal[n0 + model.mesh_facenormal[f0 : f0 + len(faces)].ravel()] = normals[faces.ravel()]
        self._renderer.upload_mesh(side)

    def _show_object(self, frame: int, body: int, k: int) -> None:
        objects = self.scene.objects
        assert objects is not None
        if not objects.valid[frame, k]:
            self._data.mocap_pos[body] = _FAR
            return
        T = self._T_display_scene @ objects.T_world_object[frame, k]
        self._data.mocap_pos[body] = T[:3, 3]
        mujoco.mju_mat2Quat(self._data.mocap_quat[body], np.ascontiguousarray(T[:3, :3]).ravel())

    def _show_contacts(self, frame: int) -> None:
        first = 2 + len(self._objects)
        self._data.mocap_pos[first : first + 12] = _FAR
        contacts, hands = self.scene.contacts, self.scene.hands
        if contacts is None or hands is None:
            return
        touching = (contacts.touching[frame] & contacts.valid[frame][:, None]).any(axis=2)
        for side, point in zip(*np.nonzero(touching & hands.valid[frame][:, None]), strict=True):
            joints = hands.joints_world[frame, side]
            place = joints[TIPS[point]] if point < 5 else joints[list(PALM)].mean(axis=0)
            self._data.mocap_pos[first + side * 6 + point] = self._T_display_scene[:3, :3] @ place

    def _build(self, ground: Ground) -> Any:
        spec = mujoco.MjSpec()
        normal = self._T_display_scene[:3, :3] @ ground.normal
        middle = self._T_display_scene[:3, :3] @ self.ego.T_world_camera[:, :3, 3].mean(axis=0)
        place = middle + (ground.offset - middle @ normal) * normal
        _add_light(spec, place)
        for side in (0, 1):
            mesh = HandMesh.load(side)
            _add_mesh(spec, f"hand{side}", mesh.vertices_rest, mesh.faces, SKIN_RGB[side])
        for k in self._objects:
            assert self.scene.objects is not None
            vertices, faces = self.scene.objects.mesh(k)
            _add_mesh(spec, f"object{k}", vertices, faces, object_rgb(k))
        for i in range(12):
            body = spec.worldbody.add_body(name=f"contact{i}", mocap=True)
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[CONTACT_RADIUS, 0, 0], contype=0, conaffinity=0,
                rgba=[*(c / 255 for c in CONTACT_RGB), 0.9], group=2,
            )  # fmt: skip
        _add_surface(spec, place, normal, ground.known)
        return spec.compile()

    def close(self) -> None:
        """Frees the renderer."""
        self._renderer.close()

    def __enter__(self) -> EgoStudio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _drawable(scene: Scene, k: int) -> bool:
    """Has a surface, and is somewhere in some frame."""
    assert scene.objects is not None
    vertices, faces = scene.objects.mesh(k)
    if len(vertices) < 4 or len(faces) < 4 or not scene.objects.valid[:, k].any():
        return False
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    return bool(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() > LEAST_SURFACE)


def _add_mesh(
    spec: Any, name: str, vertices: np.ndarray, faces: np.ndarray, rgb: tuple[int, int, int]
) -> None:
    spec.add_mesh(
        name=name,
        uservert=np.ascontiguousarray(vertices, np.float32).ravel(),
        userface=np.ascontiguousarray(faces, np.int32).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    body = spec.worldbody.add_body(name=name, mocap=True)
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, contype=0, conaffinity=0, group=2,
        rgba=[*(c / 255 for c in rgb), 1.0],
    )  # fmt: skip


def _mesh_frame(model: Any, mesh_idx: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the compiler moved the mesh's frame."""
    R = np.zeros(9)
    mujoco.mju_quat2Mat(R, model.mesh_quat[mesh_idx])
    return model.mesh_pos[mesh_idx].copy(), R.reshape(3, 3)


def _add_light(spec: Any, place: np.ndarray) -> None:
    spec.stat.center, spec.stat.extent = place, 0.6  # the shadow map covers the table, not the far away
    spec.visual.map.shadowclip = 3.0  # a narrower volume speckles the surface at its edge
    spec.visual.headlight.ambient = [0.34, 0.34, 0.35]
    spec.visual.headlight.diffuse = [0.26, 0.26, 0.26]
    spec.visual.headlight.specular = [0.05, 0.05, 0.05]
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=[0.93, 0.93, 0.92], rgb2=[0.93, 0.93, 0.92], width=32, height=192,
    )  # fmt: skip
    spec.worldbody.add_light(
        name="key", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, castshadow=True,
        pos=place + [-0.4, -0.3, 1.5], dir=[0.25, 0.2, -0.95], diffuse=[0.42, 0.42, 0.40], specular=[0.1, 0.1, 0.1],
    )  # fmt: skip


def _add_surface(spec: Any, place: np.ndarray, normal: np.ndarray, known: bool) -> None:
    """A board with a grid; one that is only assumed is paler."""
    base, line = (
        ([0.80, 0.76, 0.70], [0.62, 0.57, 0.50]) if known else ([0.90, 0.90, 0.89], [0.78, 0.78, 0.77])
    )
    spec.add_texture(
        name="grid", type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT, rgb1=base,
        rgb2=base, mark=mujoco.mjtMark.mjMARK_EDGE, markrgb=line, width=128, height=128,
    )  # fmt: skip
    material = spec.add_material(
        name="grid", texrepeat=[1 / GRID_STEP, 1 / GRID_STEP], texuniform=True, specular=0.0
    )
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "grid"
    quat = np.zeros(4)
    R = rotation_between(np.array([0.0, 0.0, 1.0]), normal)
    mujoco.mju_mat2Quat(quat, np.ascontiguousarray(R).ravel())
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE, size=[1.2, 1.2, 0.05], pos=place, quat=quat, material="grid",
        contype=0, conaffinity=0, group=0,
    )  # fmt: skip
