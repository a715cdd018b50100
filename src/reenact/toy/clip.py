"""`make_clip`: one toy clip on disk, and `ToyClip`, which reads it back.

A clip's folder holds `video.mp4`, `config.json` and `truth/`: a scene folder (`Scene.load`), `hand_poses`, and the
volumes `depth.h5` (uint16, tenths of a millimetre, 0 = nothing there) and `masks.h5` (uint8, `MaskLabel` codes).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from reenact.geometry.cameras import PinholeCamera
from reenact.records import load_record, save_record
from reenact.records.files import atomic_folder
from reenact.records.volumes import VolumeReader, VolumeWriter
from reenact.rendering.gl import choose_backend
from reenact.scene import Scene
from reenact.toy.activities.catalogue import write_script
from reenact.toy.arms import solve_arms
from reenact.toy.cameras import camera_path, make_camera
from reenact.toy.config import ToyConfig
from reenact.toy.person import CHEST, forearm_turns
from reenact.toy.render import ToyFrame, film
from reenact.toy.script import perform
from reenact.toy.truth import ToyHandPoses, frame_times_ns, true_clip, true_scene
from reenact.toy.visibility import visible_share
from reenact.toy.world import ToyWorld
from reenact.video.writer import VideoWriter

DEPTH_UNIT = 1e-4
"""Metres per step of the stored depth; uint16 then reaches 6.5 m, past every wall of the room."""
LOOKS_BRANCH, CAMERA_BRANCH = 101, 102
"""Branches of the seed."""


@dataclass(frozen=True)
class ToyClip:
    """A toy clip on disk."""

    folder: Path

    @functools.cached_property
    def config(self) -> ToyConfig:
        """What it was made from."""
        return ToyConfig(**json.loads((self.folder / "config.json").read_text()))

    @property
    def video_path(self) -> Path:
        """The H.264 video."""
        return self.folder / "video.mp4"

    @functools.cached_property
    def scene(self) -> Scene:
        """Clip, camera, hands, objects, contacts and states, all exact."""
        return Scene.load(self.folder / "truth")

    @functools.cached_property
    def hand_poses(self) -> ToyHandPoses:
        """Angles and wrists behind the hands; `.vertices(frame, side)` is the skin."""
        return load_record(ToyHandPoses, self.folder / "truth", "hand_poses")

    def depth(self, frame: int) -> Float32[np.ndarray, "h w"]:
        """z in the camera frame (m), 0 where there is no surface; rounded to 0.1 mm."""
        return self._depth[frame].astype(np.float32) * np.float32(DEPTH_UNIT)

    def mask(self, frame: int) -> UInt8[np.ndarray, "h w"]:
        """`MaskLabel` codes."""
        return self._masks[frame]

    @functools.cached_property
    def _depth(self) -> VolumeReader:
        return VolumeReader(self.folder / "truth" / "depth.h5")

    @functools.cached_property
    def _masks(self) -> VolumeReader:
        return VolumeReader(self.folder / "truth" / "masks.h5")


def make_clip(config: ToyConfig, folder: Path) -> ToyClip:
    """Write, rehearse, film and store a clip; the folder is there whole or not at all, an old one is replaced.

    Raises:
        ToyConfigError: unknown activity.
        ScriptNotFound: no faultless script for these values.
        NoGlError: no offscreen GL on this machine.
        SetupError: no disk space.
    """
    choose_backend()  # without GL, say so before any work
    script = write_script(config)
    seconds = config.duration_s or script.duration
    frames = max(round(seconds * config.fps_hz), 1)
    t = frame_times_ns(config.fps_hz, frames) * 1e-9
    performance = perform(script, t * (script.duration / seconds))
    arms = solve_arms(performance.T_world_wrist[:, :, :3, 3], CHEST, performance.present)
    world = ToyWorld(
        config, script.props, performance, arms, np.random.default_rng([config.seed, LOOKS_BRANCH])
    )
    camera = make_camera(config)
    T_world_camera = camera_path(config, np.random.default_rng([config.seed, CAMERA_BRANCH]), t)
    with atomic_folder(Path(folder)) as beside:
        truth = beside / "truth"
        truth.mkdir()
        shots = film(config, world, performance, camera, T_world_camera)
        visible = _store(config, world, camera, T_world_camera, shots, beside)
        clip = true_clip(config, frames, hashlib.sha256((beside / "video.mp4").read_bytes()).hexdigest())
        true_scene(config, clip, script, performance, camera, T_world_camera).save(truth)
        poses = ToyHandPoses(
            angles=performance.angles, T_world_wrist=performance.T_world_wrist,
            R_wrist_forearm=forearm_turns(arms, performance.T_world_wrist),
            valid=np.tile(performance.present, (frames, 1)), visible=visible, hand_length=config.hand_length,
        )  # fmt: skip
        save_record(poses, truth, "hand_poses")
        (beside / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1))
    return ToyClip(Path(folder))


def _store(
    config: ToyConfig,
    world: ToyWorld,
    camera: PinholeCamera,
    T_world_camera: np.ndarray,
    shots: Iterator[ToyFrame],
    folder: Path,
) -> np.ndarray:
    """Write video, depth and masks frame by frame; returns how much of each hand is seen, [t 2]."""
    size, truth = (config.width_px, config.height_px, config.fps_hz), folder / "truth"
    visible = np.zeros((len(T_world_camera), 2))
    with (
        VideoWriter(folder / "video.mp4", *size, crf=18, repeatable=True) as video,
        VolumeWriter(
            truth / "depth.h5", unit="0.1 mm", meaning="z in the camera frame, 0 = no surface"
        ) as depths,
        VolumeWriter(
            truth / "masks.h5", unit="label", meaning="MaskLabel codes of reenact.scene.masks"
        ) as masks,
    ):
        for i, shot in enumerate(shots):
            video.write(shot.rgb)
            depths.append(
                np.rint(shot.depth.astype(np.float64) / DEPTH_UNIT).clip(0, 65535).astype(np.uint16)
            )
            masks.append(shot.mask)
            for side in world.sides:
                vertices = world.hand_vertices(i, side)
                visible[i, side] = visible_share(vertices, side, camera, T_world_camera[i], shot)
    return visible
