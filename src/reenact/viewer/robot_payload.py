"""A robot for the page: the shapes of its bodies once, and the pose of every body in every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reenact.viewer.encode import packed

if TYPE_CHECKING:
    from reenact.robots.model import Robot
    from reenact.robots.trajectory import JointTrajectory

VISUAL_GROUPS = (0, 1, 2)


def robot_payload(robot: Robot, trajectory: JointTrajectory) -> dict[str, Any]:
    """Shapes by body, and `poses` [t body 7] (x y z qw qx qy qz) in the scene's frame."""
    import mujoco

    data = mujoco.MjData(robot.model)
    T = np.broadcast_to(trajectory.T_world_base, (len(trajectory.q), 4, 4))
    poses = np.empty((len(trajectory.q), robot.model.nbody, 7))
    for i, q in enumerate(trajectory.q):
        robot.set_state(data, q, T[i])
        poses[i, :, :3], poses[i, :, 3:] = data.xpos, data.xquat
    return {"name": robot.name, "shapes": _shapes(robot.model), "poses": packed(poses)}


def _shapes(model: Any) -> list[dict[str, Any]]:
    shapes = []
    for geom in range(model.ngeom):
        rgba = (
            model.mat_rgba[model.geom_matid[geom]] if model.geom_matid[geom] >= 0 else model.geom_rgba[geom]
        )
        if model.geom_group[geom] not in VISUAL_GROUPS or rgba[3] == 0:
            continue
        shape = _shape(model, geom)
        if shape is not None:
            common = {"body": int(model.geom_bodyid[geom]), "rgba": [round(float(c), 4) for c in rgba]}
            shapes.append(shape | common)
    return shapes


def _shape(model: Any, geom: int) -> dict[str, Any] | None:
    """Type, size and place of a geom in its body; None for planes and fields, which are no part of a robot."""
    import mujoco

    kinds = mujoco.mjtGeom
    names = {
        kinds.mjGEOM_SPHERE: "sphere",
        kinds.mjGEOM_CAPSULE: "capsule",
        kinds.mjGEOM_CYLINDER: "cylinder",
        kinds.mjGEOM_ELLIPSOID: "ellipsoid",
        kinds.mjGEOM_BOX: "box",
        kinds.mjGEOM_MESH: "mesh",
    }
    name = names.get(kinds(model.geom_type[geom]))
    if name is None:
        return None
    place = {
        "type": name,
        "size": [float(v) for v in model.geom_size[geom]],
        "pos": [float(v) for v in model.geom_pos[geom]],
        "quat": [float(v) for v in model.geom_quat[geom]],
    }
    return place | _mesh(model, int(model.geom_dataid[geom])) if name == "mesh" else place


def _mesh(model: Any, mesh: int) -> dict[str, Any]:
    v0, vn = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
    f0, fn = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
    return {
        "vertices": packed(model.mesh_vert[v0 : v0 + vn]),
        "faces": packed(model.mesh_face[f0 : f0 + fn], "uint32"),
    }
