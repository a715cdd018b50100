"""Laws of scene records: bad tracks cannot exist, a scene comes back from its folder."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.errors import RecordError
from reenact.hands.joints import JOINT_NAMES_21
from reenact.scene import (
    CameraTrack,
    Clip,
    ContactTracks,
    HandTracks,
    InteractionStates,
    ObjectTracks,
    Scene,
    Source,
)

T = 4


def clip(**changes) -> Clip:
    t_ns = np.arange(T, dtype=np.int64) * 40_000_000
    fields = {
        "clip_id": "c", "source_name": "c.mp4", "source_sha256": "", "width_px": 64, "height_px": 48,
        "rotation_deg": 0, "nominal_fps_hz": 25.0, "t_ns": t_ns, "end_ns": T * 40_000_000,
        "source_frame_idx": np.arange(T, dtype=np.int64),
    }  # fmt: skip
    return Clip(**{**fields, **changes})


def camera(**changes) -> CameraTrack:
    fields = {
        "model": "pinhole", "params": np.array([50.0, 50, 31.5, 23.5]), "width_px": 64, "height_px": 48,
        "intrinsics_source": "prior", "focal_sigma": 0.2, "T_world_camera": np.tile(np.eye(4), (T, 1, 1)),
        "valid": np.ones(T, bool), "confidence": np.ones(T), "source": np.full(T, Source.OBSERVED, np.uint8),
        "motion": "still", "motion_heights_per_s": 0.0, "world_frame": "camera0", "gravity_source": "unknown",
        "gravity_sigma": 1.0,
    }  # fmt: skip
    return CameraTrack(**{**fields, **changes})


def hands(**changes) -> HandTracks:
    fields = {
        "joints_world": np.zeros((T, 2, 21, 3)), "valid": np.zeros((T, 2), bool), "confidence": np.zeros((T, 2)),
        "source": np.zeros((T, 2), np.uint8), "sigma_camera": np.zeros((T, 2, 3)), "reprojection": np.zeros((T, 2)),
        "hand_length": np.full(2, 0.189), "hand_length_source": "adult_prior", "world_frame": "camera0",
        "joint_names": JOINT_NAMES_21,
    }  # fmt: skip
    return HandTracks(**{**fields, **changes})


def objects(**changes) -> ObjectTracks:
    fields = {
        "object_ids": ("a", "b"), "names": ("cup", "cube"), "T_world_object": np.tile(np.eye(4), (T, 2, 1, 1)),
        "valid": np.ones((T, 2), bool), "confidence": np.ones((T, 2)), "source": np.full((T, 2), 5, np.uint8),
        "mesh_vertices": np.arange(18.0).reshape(6, 3), "mesh_faces": np.array([[0, 1, 2], [0, 2, 1], [0, 1, 2]]),
        "vertex_start": np.array([0, 3, 6]), "face_start": np.array([0, 1, 3]),
    }  # fmt: skip
    return ObjectTracks(**{**fields, **changes})


def rotated(R: np.ndarray) -> np.ndarray:
    out = np.tile(np.eye(4), (T, 1, 1))
    out[2, :3, :3] = R
    return out


@pytest.mark.parametrize(
    ("make", "changes", "said"),
    [
        (clip, {"t_ns": np.array([0, 2, 2, 3])}, "does not rise"),
        (clip, {"end_ns": 5}, "after the last frame"),
        (clip, {"rotation_deg": 45}, "is 45"),
        (camera, {"params": np.array([50.0, 50, 31.5])}, "has 3 numbers"),
        (camera, {"params": np.array([-50.0, 50, 31.5, 2])}, "focal"),
        (camera, {"world_frame": "cam"}, "one of world, camera0"),
        (camera, {"confidence": np.full(T, 1.5)}, "leaves 0..1"),
        (camera, {"T_world_camera": rotated(2 * np.eye(3))}, "not orthonormal"),
        (camera, {"T_world_camera": rotated(np.diag([1.0, 1, -1]))}, "reflection"),
        (hands, {"joint_names": ("wrist",)}, "has 1 names"),
        (hands, {"joints_world": np.zeros((T, 1, 21, 3))}, "shape (4, 1, 21, 3)"),
        (hands, {"sigma_camera": np.full((T, 2, 3), -1.0)}, "negative"),
        (objects, {"object_ids": ("a", "a")}, "repeat"),
        (objects, {"vertex_start": np.array([0, 4, 5])}, "rising numbers"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_records_cannot_exist(make, changes, said) -> None:
    with pytest.raises(RecordError) as error:
        make(**changes)
    assert said in str(error.value)


def test_a_scene_comes_back_from_its_folder(tmp_path) -> None:
    shape = (T, 2, 6, 2)
    contacts = ContactTracks(
        touching=np.zeros(shape, bool), distance=np.ones(shape), confidence=np.ones((T, 2, 2)),
        valid=np.ones((T, 2, 2), bool), source=np.zeros((T, 2, 2), np.uint8),
    )  # fmt: skip
    states = InteractionStates(
        state=np.ones((T, 2), np.uint8), confidence=np.ones((T, 2)), valid=np.ones((T, 2), bool),
        source=np.zeros((T, 2), np.uint8),
    )  # fmt: skip
    scene = Scene(
        clip=clip(), camera=camera(), hands=hands(), objects=objects(), contacts=contacts, states=states
    )
    scene.save(tmp_path)
    again = Scene.load(tmp_path)
    assert set(again.parts()) == {"clip", "camera", "hands", "objects", "contacts", "states"}
    vertices, faces = again.objects.mesh(1)
    np.testing.assert_array_equal(vertices, np.arange(9.0, 18).reshape(3, 3))
    assert faces.shape == (2, 3)


def test_tracks_of_another_length_or_frame_do_not_make_a_scene() -> None:
    with pytest.raises(RecordError, match=r"Scene\.camera has 4 frames"):
        Scene(clip=clip(t_ns=np.array([0, 1]), source_frame_idx=np.array([0, 1])), camera=camera())
    with pytest.raises(RecordError, match="'camera0'"):
        Scene(clip=clip(), camera=camera(), hands=hands(world_frame="world"))


def test_state_codes_are_bounded() -> None:
    with pytest.raises(RecordError, match="code 9"):
        InteractionStates(
            state=np.full((T, 1), 9, np.uint8), confidence=np.ones((T, 1)), valid=np.ones((T, 1), bool),
            source=np.zeros((T, 1), np.uint8),
        )  # fmt: skip


def test_the_lens_follows_the_model() -> None:
    assert camera().camera().K[0, 0] == 50.0
    fisheye = camera(model="fisheye_kb4", params=np.array([50.0, 50, 31.5, 23.5, 0.1, 0, 0, 0]))
    point = np.array([0.3, 0.2, 1.0])
    assert np.linalg.norm(fisheye.camera().project(point) - camera().camera().project(point)) > 0.1


def test_an_unknown_camera_pose_reads_as_the_first() -> None:
    moved = np.tile(np.eye(4), (T, 1, 1))
    moved[2, 0, 3] = 9.0
    track = camera(T_world_camera=moved, valid=np.array([True, True, False, True]))
    assert track.scene_T_camera()[2, 0, 3] == 0.0
