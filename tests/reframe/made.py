"""Scenes for the tests of this room, made without rendering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, make_T
from reenact.scene import ContactTracks, InteractionStates, ObjectTracks, Scene, Source

T_BOX = make_T(so3_exp(np.array([0.0, 0.0, 0.4])), np.array([0.75, 0.05, -0.42]))
BOX_HALF = np.array([0.03, 0.04, 0.06])


def box_mesh() -> tuple[np.ndarray, np.ndarray]:
    vertices = BOX_HALF * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6],
             [0, 6, 4], [1, 5, 7], [1, 7, 3]]  # fmt: skip
    return vertices, np.array(faces, np.int64)


def with_box(scene: Scene) -> Scene:
    """The scene with a box that stands still, is held by the right hand for a third, then is not known."""
    t = len(scene.clip.t_ns)
    vertices, faces = box_mesh()
    valid = np.ones((t, 1), bool)
    valid[-t // 4 :] = False
    state = np.ones((t, 1), np.uint8)
    state[t // 3 : 2 * t // 3] = 4
    state[~valid] = 0
    touching = np.zeros((t, 2, 6, 1), bool)
    touching[t // 3 : 2 * t // 3, 1, :2] = True
    source = np.where(valid, Source.TRUTH, Source.UNKNOWN).astype(np.uint8)
    both = np.repeat(valid[:, None], 2, axis=1)
    return replace(
        scene,
        objects=ObjectTracks(
            object_ids=("box",), names=("box",), T_world_object=np.tile(T_BOX, (t, 1, 1, 1)), valid=valid,
            confidence=valid.astype(float), source=source, mesh_vertices=vertices, mesh_faces=faces,
            vertex_start=np.array([0, 8]), face_start=np.array([0, 12]),
        ),
        states=InteractionStates(state=state, confidence=valid * 0.9, valid=valid, source=source),
        contacts=ContactTracks(
            touching=touching, distance=np.where(touching, 0.001, 0.08), confidence=both.astype(float), valid=both,
            source=np.repeat(source[:, None], 2, axis=1),
        ),
    )  # fmt: skip


def turned(scene: Scene, T_new_old: np.ndarray) -> Scene:
    """The same scene in another frame whose z is also up."""
    hands, objects = scene.hands, scene.objects
    assert hands is not None
    joints = apply(T_new_old, hands.joints_world.reshape(-1, 3)).reshape(hands.joints_world.shape)
    moved = None if objects is None else replace(objects, T_world_object=T_new_old @ objects.T_world_object)
    camera = replace(scene.camera, T_world_camera=T_new_old @ scene.camera.T_world_camera)
    return replace(
        scene, hands=replace(hands, joints_world=joints), hands_raw=None, objects=moved, camera=camera
    )


def backwards(scene: Scene) -> Scene:
    """The same scene played from its end."""
    hands, objects = scene.hands, scene.objects
    assert hands is not None
    fields = ("joints_world", "valid", "confidence", "source", "sigma_camera", "reprojection")
    flipped = replace(hands, **{f: getattr(hands, f)[::-1].copy() for f in fields})
    moved = objects
    if objects is not None:
        named = ("T_world_object", "valid", "confidence", "source")
        moved = replace(objects, **{f: getattr(objects, f)[::-1].copy() for f in named})
    return replace(
        scene, hands=flipped, hands_raw=None, landmarks=None, objects=moved, contacts=None, states=None
    )
