"""Camera paths of two real clips, for `camera_path.py`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import tyro
import yaml

from reenact.cli.run import RunOptions, resolve
from reenact.geometry.alignment import umeyama
from reenact.geometry.rotations import rotation_angle, rotation_mean
from reenact.perception.camera.path.blocked import HandPixels
from reenact.perception.camera.path.config import PathConfig
from reenact.perception.camera.path.judge import judge_path, solve_parts
from reenact.perception.camera.path.mapping import PinholeLens
from reenact.perception.camera.path.marks import KeyframeMarks, both
from reenact.perception.camera.path.register import place_frames
from reenact.perception.camera.path.tracks import CornerFollower
from reenact.stages.run import RunRequest, run_clips, whole

PICTURES, RATE_HZ, FOCAL_PX = 80, 3.0, 426.2
"""The ball is untouched in the first 80 of 203 pictures (960 x 600)."""
SIZE = (768, 480)


def ball_row(data: Path) -> str:
    """Tracks and mapper on the basketball's pictures, against the key frames' published poses."""
    pictures = sorted((data / "gt/v2d_basketball/front_stereo_camera_left").glob("*.jpeg"))
    config, nothing = PathConfig(), np.zeros(SIZE[::-1], dtype=bool)
    follower, marks = CornerFollower(config.tracks), KeyframeMarks(config.marks)
    for index, path in enumerate(pictures[:PICTURES]):
        grey = cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), SIZE, interpolation=cv2.INTER_AREA)
        if follower.add(grey, HandPixels(nothing, nothing), index / RATE_HZ):
            marks.add(index, grey, HandPixels(nothing, nothing))
    lens = PinholeLens(FOCAL_PX * SIZE[0] / 960, (SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2, *SIZE)
    followed = follower.result()
    tracks = both(
        followed, marks.tracks(lens.focal_px, np.array([lens.cx, lens.cy]), followed.frames, config.seed)
    )
    parts = solve_parts(tracks, lens, config)
    assert parts.whole is not None
    poses = place_frames(parts.whole, tracks, lens, np.arange(PICTURES) / RATE_HZ, config)
    trust = judge_path(parts.whole, parts.halves, poses, config.judge)
    frames, truth = _key_frames(data, pictures)
    known = np.isin(frames, np.flatnonzero(poses.placed))
    T, U = truth[known], poses.T_map_camera[frames[known]]
    turn = rotation_mean(T[:, :3, :3] @ U[:, :3, :3].transpose(0, 2, 1))
    off = np.rad2deg(np.sqrt((rotation_angle(turn @ U[:, :3, :3], T[:, :3, :3]) ** 2).mean()))
    scale, S = umeyama(U[:, :3, 3], T[:, :3, 3])
    place = np.linalg.norm(scale * U[:, :3, 3] @ S[:3, :3].T + S[:3, 3] - T[:, :3, 3], axis=-1)
    return (
        f"\nv2d_basketball, {PICTURES} pictures at 3 Hz: {poses.placed.mean():.0%} placed, "
        f"{'believed' if trust.believed else 'not believed'} ({trust.reason}); against {known.sum()} key frames turn rms "
        f"{off:.2f} deg (stated {np.rad2deg(trust.turn_sigma):.2f}), place rms {100 * np.sqrt((place**2).mean()):.1f} cm of "
        f"{100 * np.linalg.norm(np.ptp(T[:, :3, 3], axis=0)):.0f} cm of travel (best similarity)"
    )


def _key_frames(data: Path, pictures: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the key frames among the pictures, by likeness, and their poses."""

    def small(path: Path) -> np.ndarray:
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        return cv2.resize(grey, (96, 60), interpolation=cv2.INTER_AREA).astype(float)

    folder = data / "gt/v2d_bundlesdf_stage1"
    all_small = [small(path) for path in pictures[:PICTURES]]
    frames = [
        int(np.argmin([np.abs(small(path) - other).mean() for other in all_small]))
        for path in sorted((folder / "left").glob("*.png"))
    ]
    keys = yaml.safe_load((folder / "keyframes.yml").read_text())
    return np.array(frames), np.array([np.reshape(keys[k]["cam_in_ob"], (4, 4)) for k in sorted(keys)])


def plate_rows(data: Path, cache: Path) -> list[str]:
    """The head camera, nothing given: what the product says of its path."""
    video = data / "ego/hawor_plate/video.mp4"
    options = tyro.cli(RunOptions, args=[str(video)])
    request = RunRequest(
        whole([video]), [], cache / "runs" / "plate", resolve(options), with_video=False, with_dataset=False
    )
    notes = json.loads((run_clips(request).clips[0].folders["camera"] / "notes.json").read_text())
    lens, path = notes["intrinsics"], notes["path"]
    return [
        f"\nhawor_plate, nothing given: lens from {lens['source']}; {path['keyframes']} keyframes; {path['reason']}"
    ]
