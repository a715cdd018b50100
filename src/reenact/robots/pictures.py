"""Pictures of robots in a plain studio: a matt floor, a key light with shadow, a soft sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float, Integer, UInt8

from reenact.rendering.renderer import OffscreenRenderer, RenderConfig, look_at
from reenact.robots.model import Robot


@dataclass(frozen=True, kw_only=True)
class StudioConfig:
    """Camera and looks of a robot picture."""

    render: RenderConfig = field(
        default_factory=lambda: RenderConfig(
            width_px=640, height_px=480, samples=4, shadows=True, shadow_size_px=4096
        )
    )
    """Size and quality. ``samples=0, shadows=False`` is several times faster on a CPU."""
    azimuth_deg: float = 35.0
    """Where the camera stands: 0 in front of the robot (on its +x side), 90 on its left."""
    elevation_deg: float = 18.0
    """Height of the camera above the point it looks at, as an angle."""
    fov_deg: float = 36.0
    """Vertical field of view."""
    zoom: float = 1.0
    """Above 1 comes nearer."""
    floor: bool = True
    """Whether there is a floor."""


def add_stage(spec: Any, floor_height: float | None) -> None:
    """Adds sky, lights and (where a height in world z is given) a floor to a spec. Nothing here collides."""
    spec.visual.headlight.ambient = [0.36, 0.36, 0.38]
    spec.visual.headlight.diffuse = [0.28, 0.28, 0.28]
    spec.visual.headlight.specular = [0.1, 0.1, 0.1]
    spec.visual.map.shadowclip = 2.0  # a narrower shadow volume speckles the floor at its edge
    spec.add_texture(
        name="stage_sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.93, 0.95, 0.97], rgb2=[0.66, 0.72, 0.79], width=64, height=384,
    )  # fmt: skip
    spec.worldbody.add_light(
        name="stage_key", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, castshadow=True,
        pos=[1.5, 1.0, 3.5], dir=[-0.45, -0.3, -0.85], diffuse=[0.55, 0.54, 0.52], specular=[0.25, 0.25, 0.25],
    )  # fmt: skip
    spec.worldbody.add_light(
        name="stage_fill", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, castshadow=False,
        pos=[1.0, -2.0, 2.0], dir=[-0.5, 0.75, -0.4], diffuse=[0.18, 0.19, 0.22], specular=[0.0, 0.0, 0.0],
    )  # fmt: skip
    if floor_height is None:
        return
    spec.add_material(name="stage_floor", rgba=[0.80, 0.80, 0.79, 1.0], specular=0.0, shininess=0.0)
    spec.worldbody.add_geom(
        name="stage_floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[6, 6, 0.1], pos=[0, 0, floor_height],
        material="stage_floor", contype=0, conaffinity=0, group=0,
    )  # fmt: skip


@dataclass(frozen=True)
class Ghost:
    """A thing shown beside the robot, see-through and without any effect."""

    vertices: Float[np.ndarray, "v 3"]
    """In the thing's own frame (m)."""
    faces: Integer[np.ndarray, "f 3"]
    rgba: tuple[float, float, float, float] = (0.85, 0.55, 0.15, 0.55)


AWAY = (0.0, 0.0, -50.0)
"""Where ghosts are put that are not shown."""


def _add_ghosts(spec: Any, ghosts: Sequence[Ghost]) -> None:
    """One mocap body each, after the robot's own."""
    for k, ghost in enumerate(ghosts):
        mesh = spec.add_mesh(name=f"ghost_{k}", inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        mesh.uservert = np.asarray(ghost.vertices, np.float64).ravel()
        mesh.userface = np.asarray(ghost.faces, np.int32).ravel()
        body = spec.worldbody.add_body(name=f"ghost_{k}", mocap=True, pos=AWAY)
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=f"ghost_{k}", rgba=ghost.rgba,
            contype=0, conaffinity=0, group=0,
        )  # fmt: skip


class Studio:
    """Renders one robot many times; use as a context manager."""

    def __init__(
        self, robot: Robot, config: StudioConfig | None = None, ghosts: Sequence[Ghost] = ()
    ) -> None:
        """Compiles the robot with its stage (and ghosts beside it) and opens the renderer.

        Raises:
            NoGlError: this machine cannot render.
        """
        self.config = config or StudioConfig()
        self.robot = robot
        spec = robot.spec.copy()
        add_stage(spec, -robot.sheet.base_height if self.config.floor else None)
        _add_ghosts(spec, ghosts)
        self.ghosts = len(ghosts)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._renderer = OffscreenRenderer(self.model, self.config.render)
        self._centre, self._radius = self._sphere()

    def _sphere(self) -> tuple[np.ndarray, float]:
        """Middle of the robot at home, and how far it reaches (m)."""
        self.data.qpos[:] = self.robot.home_q
        mujoco.mj_kinematics(self.model, self.data)
        own = (self.model.geom_bodyid > 0) & (self.data.geom_xpos[:, 2] > AWAY[2] / 2)
        low = (self.data.geom_xpos[own] - self.model.geom_rbound[own, None]).min(axis=0)
        high = (self.data.geom_xpos[own] + self.model.geom_rbound[own, None]).max(axis=0)
        return (low + high) / 2, float(np.linalg.norm(high - low) / 2)

    def camera(self) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "4 4"]]:
        """``K`` and ``T_world_camera`` that show the whole robot from the configured direction."""
        c = self.config
        focal = c.render.height_px / 2 / np.tan(np.radians(c.fov_deg) / 2)
        middle = (c.render.width_px - 1) / 2, (c.render.height_px - 1) / 2
        K = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1.0]])
        azimuth, elevation = np.radians(c.azimuth_deg), np.radians(c.elevation_deg)
        away = np.array(
            [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
        )
        distance = self._radius / np.sin(np.radians(c.fov_deg) / 2) / c.zoom
        return K, look_at(self._centre + distance * away, self._centre)

    def render(
        self,
        q: Float[np.ndarray, " q"],
        T_world_base: Float[np.ndarray, "4 4"] | None = None,
        camera: tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "4 4"]] | None = None,
        T_world_ghosts: Sequence[Float[np.ndarray, "4 4"] | None] = (),
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The robot in one configuration, through ``camera`` (K, T_world_camera) or the studio's own.

        ``T_world_ghosts`` places the ghosts in their order; None hides one.
        """
        self.data.qpos[:] = q
        if T_world_base is not None:
            self.data.mocap_pos[0] = T_world_base[:3, 3]
            mujoco.mju_mat2Quat(self.data.mocap_quat[0], np.ascontiguousarray(T_world_base[:3, :3]).ravel())
        first = self.model.nmocap - self.ghosts
        for k, T in enumerate(T_world_ghosts):
            self.data.mocap_pos[first + k] = AWAY if T is None else T[:3, 3]
            if T is not None:
                mujoco.mju_mat2Quat(self.data.mocap_quat[first + k], np.ascontiguousarray(T[:3, :3]).ravel())
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        self._renderer.look(self.data, *(camera or self.camera()))
        return self._renderer.rgb()

    def close(self) -> None:
        """Frees the renderer."""
        self._renderer.close()

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def render_pose(
    robot: Robot, q: Float[np.ndarray, " q"] | None = None, config: StudioConfig | None = None
) -> UInt8[np.ndarray, "h w 3"]:
    """One picture of ``robot`` at ``q`` (its home pose when left out)."""
    with Studio(robot, config) as studio:
        return studio.render(robot.home_q if q is None else q)
