"""Stage `camera`: lens, still or moving, path, which way is up. In: clip, video, landmarks (or truth). Out: the `camera`
record, and `camera_path` where the path of a moving camera was solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from reenact.perception.camera.classical import ClassicalCamera, ClassicalCameraConfig
from reenact.perception.camera.path.assemble import with_lens, with_path
from reenact.perception.camera.path.config import PathConfig
from reenact.perception.camera.path.mapping import NoMapper
from reenact.perception.camera.path.metres import SeenHands, map_scale
from reenact.perception.camera.path.solve import solve_path
from reenact.perception.camera.truth import CameraNoiseConfig, TruthCamera
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.refine.hands.reconstruct import HandReconstructionConfig, reconstruct_hands
from reenact.scene import CameraPath, CameraTrack, Clip, HandLandmarks, Scene
from reenact.stages.clip import ClipConfig, clip_frames, load_clip
from reenact.stages.notes import write_notes


@dataclass(frozen=True)
class CameraConfig:
    """Which backend, and its settings."""

    backend: Literal["classical", "truth"] = "classical"
    """classical: lines, corners and priors; truth: a toy clip's own camera with stated noise."""
    classical: ClassicalCameraConfig = field(default_factory=ClassicalCameraConfig)
    """Lens, motion and gravity from the picture; what the user knows wins."""
    path: PathConfig = field(default_factory=PathConfig)
    """Where a moving camera went (classical backend)."""
    truth: CameraNoiseConfig = field(default_factory=CameraNoiseConfig)
    """Noise of the truth backend."""
    max_height_px: int = 540
    """Frames are looked at no larger than this."""


@dataclass(frozen=True)
class CameraStageConfig:
    """The backend, how frames reach it, and the size of the hands that give a path its metres."""

    camera: CameraConfig = field(default_factory=CameraConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)
    hand_length: float | None = None
    """As in `HandReconstructionConfig`, the only one of its settings that moves a path's metres much (m)."""


def run(call: StageCall[CameraStageConfig]) -> None:
    """See the module's docstring."""
    clip, config = load_clip(call.inputs["clip"]), call.config.camera
    backend: ClassicalCamera | TruthCamera
    account: CameraPath | None = None
    notes: dict[str, Any] = {}
    if config.backend == "truth":
        backend = TruthCamera(Scene.load(call.inputs["truth"]).camera, config.truth)
        camera = backend.estimate(_frames(call, clip), clip)
    else:
        backend = ClassicalCamera(config.classical)
        camera = backend.estimate(_frames(call, clip), clip)
        if camera.motion == "moving" and config.path.method == "sfm":
            landmarks = load_record(HandLandmarks, call.inputs["landmarks"], "landmarks")
            camera, account, notes = _follow_path(call, clip, camera, landmarks, backend)
    save_record(camera, call.out, "camera")
    if account is not None:
        save_record(account, call.out, "camera_path")
    write_notes(call.out, {"backend": backend.name, "licence": "Apache-2.0", **backend.diagnostics, **notes})


def _frames(call: StageCall[CameraStageConfig], clip: Clip) -> Iterator[tuple[int, np.ndarray]]:
    config = call.config
    for index, frame in enumerate(
        clip_frames(clip, call.inputs["video"], config.clip, config.camera.max_height_px)
    ):
        call.report(index + 1, len(clip.t_ns))
        yield frame


def _follow_path(
    call: StageCall[CameraStageConfig],
    clip: Clip,
    camera: CameraTrack,
    landmarks: HandLandmarks,
    backend: ClassicalCamera,
) -> tuple[CameraTrack, CameraPath | None, dict[str, Any]]:
    """The camera with its path in metres; as it was, with the reason, where path or metres are not to be had."""
    config = call.config.camera
    try:
        path, notes = solve_path(_frames(call, clip), clip, camera, landmarks, config.path)
    except NoMapper as error:
        return camera, None, {"path": {"reason": str(error)}}
    if path is None:
        return camera, None, {"path": notes}
    camera, sights = with_lens(camera, path), backend.up_sights
    if path.lens is not None and sights.source == "prior":
        sights = backend.sights_through(camera, clip)
    scale = map_scale(
        path.poses.T_map_camera,
        path.poses.placed,
        path.points_map,
        _hands_seen(landmarks, camera, clip, call.config.hand_length),
        clip.t_seconds,
        min(path.trust.place_sigma / max(path.trust.extent, 1e-9), config.path.judge.max_path_sigma),
        config.path.scale,
    )
    notes["scale"] = scale
    if not scale.sigma <= config.path.scale.max_sigma:
        return camera, None, {"path": notes | {"reason": scale.reason}}
    track, account = with_path(camera, clip, path, scale, sights)
    return track, account, {"path": notes}


def _hands_seen(
    landmarks: HandLandmarks, camera: CameraTrack, clip: Clip, hand_length: float | None
) -> SeenHands:
    """Metric hands in the axes of every frame's camera (the track's path is not known yet)."""
    config = HandReconstructionConfig(hand_length=hand_length)
    hands = reconstruct_hands(landmarks, camera, clip.t_ns, config).refined
    return SeenHands(hands.joints_world, hands.valid, hands.sigma_camera)
