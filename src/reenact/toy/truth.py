"""The exact records of a toy clip.

In: config, script, performance, camera. Out: a `Scene` whose every part has source TRUTH, and `ToyHandPoses`, from
which the skin is computed when asked for.

True states have one definition for every activity. An object is held while all the skin that holds it is in place and
at rest on it: from the end of the movement that brings the last opposing part there (a finger that closes, the second
palm that arrives) to the beginning of the one that takes the first away (a finger that opens, a palm that leaves),
whether or not it moves meanwhile. Two palms that hold it only together begin and end together; in a handover each
hand's grasp counts by itself. Not held, an object is `moving` while its middle is faster than `script.MOVING_SPEED`,
pushed or not, else `static`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.transforms import apply
from reenact.hands.joints import JOINT_NAMES_21
from reenact.hands.mesh import HandMesh
from reenact.hands.skeleton import HandSkeleton
from reenact.records import Record
from reenact.scene import CameraTrack, Clip, HandTracks, InteractionStates, ObjectTracks, Scene, Source
from reenact.toy.config import ToyConfig
from reenact.toy.contacts import true_contacts
from reenact.toy.script import Performance, Script


@dataclass(frozen=True, kw_only=True)
class ToyHandPoses(Record):
    """Joint angles and wrists behind the true hands; the skin follows from them."""

    SCHEMA = "reenact.toy_hand_poses"
    VERSION = 1

    angles: Float64[np.ndarray, "t s=2 20"]
    """Radians, in the order of `hands.skeleton.ANGLE_NAMES`."""
    T_world_wrist: Float64[np.ndarray, "t s=2 4 4"]
    R_wrist_forearm: Float64[np.ndarray, "t s=2 3 3"]
    """Turn of the forearm against the hand (for the skin behind the wrist)."""
    valid: Bool[np.ndarray, "t s=2"]
    visible: Float64[np.ndarray, "t s=2"]
    """Share of the camera-facing skin of the hand (wrist to tips) that is in the image and not hidden by anything
    but the hand itself."""
    hand_length: float

    def check(self) -> None:
        self.require_transforms("T_world_wrist")
        self.require_fraction("visible")

    def vertices(self, frame: int, side: int) -> Float64[np.ndarray, "v 3"]:
        """Skin of one hand in the world (m), vertices as in `HandMesh.load(side)`."""
        return HandMesh.load(side).pose(
            HandSkeleton.adult(side, self.hand_length),
            self.angles[frame, side],
            self.T_world_wrist[frame, side],
            self.R_wrist_forearm[frame, side],
        )


def true_clip(config: ToyConfig, frames: int, sha256: str) -> Clip:
    """Frame times of a constant-rate clip that starts at zero."""
    t_ns = frame_times_ns(config.fps_hz, frames + 1)
    return Clip(
        clip_id=f"toy-{config.activity}-{config.seed}", source_name="video.mp4", source_sha256=sha256,
        width_px=config.width_px, height_px=config.height_px, rotation_deg=0, nominal_fps_hz=config.fps_hz,
        t_ns=t_ns[:-1], end_ns=int(t_ns[-1]), source_frame_idx=np.arange(frames, dtype=np.int64),
    )  # fmt: skip


def frame_times_ns(fps_hz: float, count: int) -> np.ndarray:
    """Start of each frame, int64 [count]."""
    return np.rint(np.arange(count) * (1e9 / fps_hz)).astype(np.int64)


def true_scene(
    config: ToyConfig,
    clip: Clip,
    script: Script,
    performance: Performance,
    camera: PinholeCamera,
    T_world_camera: Float64[np.ndarray, "t 4 4"],
) -> Scene:
    """All records but landmarks."""
    return Scene(
        clip=clip,
        camera=_camera_track(config, camera, T_world_camera),
        hands=_hand_tracks(config, performance),
        objects=_object_tracks(script, performance),
        contacts=true_contacts(script, performance, config.hand_length),
        states=_states(performance),
    )


def _camera_track(config: ToyConfig, camera: PinholeCamera, T_world_camera: np.ndarray) -> CameraTrack:
    frames = len(T_world_camera)
    return CameraTrack(
        model="pinhole", params=camera.params, width_px=config.width_px, height_px=config.height_px,
        intrinsics_source="truth", focal_sigma=0.0, T_world_camera=T_world_camera, valid=np.ones(frames, bool),
        confidence=np.ones(frames), source=_truth((frames,)),
        motion="still" if config.camera_motion == "static" else "moving",
        motion_heights_per_s=_image_motion(config, camera, T_world_camera), world_frame="world",
        gravity_source="truth", gravity_sigma=0.0,
    )  # fmt: skip


def _image_motion(config: ToyConfig, camera: PinholeCamera, T_world_camera: np.ndarray) -> float:
    """Median motion of nine table points over the image, in image heights per second."""
    if len(T_world_camera) < 2:
        return 0.0
    grid = np.array([[x, y, 0.74] for x in (-0.3, 0.0, 0.3) for y in (-0.2, 0.1, 0.4)])
    local = (grid - T_world_camera[:, None, :3, 3]) @ T_world_camera[:, :3, :3]
    pixels = camera.project(local)
    step = np.linalg.norm(np.diff(pixels, axis=0), axis=-1)
    return float(np.median(step) * config.fps_hz / config.height_px)


def _hand_tracks(config: ToyConfig, performance: Performance) -> HandTracks:
    frames = len(performance.angles)
    joints = np.zeros((frames, 2, 21, 3))
    for side in (0, 1):
        local = HandSkeleton.adult(side, config.hand_length).joints_wrist(performance.angles[:, side])
        joints[:, side] = apply(performance.T_world_wrist[:, side], local)
    valid = np.tile(performance.present, (frames, 1))
    return HandTracks(
        joints_world=joints, valid=valid, confidence=valid.astype(np.float64),
        source=np.where(valid, Source.TRUTH, Source.UNKNOWN).astype(np.uint8),
        sigma_camera=np.zeros((frames, 2, 3)), reprojection=np.zeros((frames, 2)),
        hand_length=np.full(2, config.hand_length), hand_length_source="truth", world_frame="world",
        joint_names=JOINT_NAMES_21,
    )  # fmt: skip


def _object_tracks(script: Script, performance: Performance) -> ObjectTracks:
    meshes = [prop.shape.mesh() for prop in script.props]
    shape = performance.T_world_object.shape[:2]
    return ObjectTracks(
        object_ids=tuple(f"{prop.name}_{o}" for o, prop in enumerate(script.props)),
        names=tuple(prop.name for prop in script.props),
        T_world_object=performance.T_world_object, valid=np.ones(shape, bool), confidence=np.ones(shape),
        source=_truth(shape), mesh_vertices=np.concatenate([m.vertices for m in meshes]),
        mesh_faces=np.concatenate([m.faces for m in meshes]),
        vertex_start=np.cumsum([0] + [len(m.vertices) for m in meshes]).astype(np.int64),
        face_start=np.cumsum([0] + [len(m.faces) for m in meshes]).astype(np.int64),
    )  # fmt: skip


def _states(performance: Performance) -> InteractionStates:
    shape = performance.state.shape
    return InteractionStates(
        state=performance.state, confidence=np.ones(shape), valid=np.ones(shape, bool), source=_truth(shape)
    )


def _truth(shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, Source.TRUTH, np.uint8)
