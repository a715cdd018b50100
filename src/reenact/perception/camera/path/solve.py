"""The camera's path over a clip, in its own unit: tracks, lens, map, all frames, judgement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float64

from reenact.geometry.cameras import FisheyeCamera, PinholeCamera
from reenact.perception.camera.contract import Frame
from reenact.perception.camera.path.blocked import hand_pixels
from reenact.perception.camera.path.config import PathConfig
from reenact.perception.camera.path.judge import PathTrust, judge_path, median_distance, solve_parts
from reenact.perception.camera.path.mapping import PinholeLens
from reenact.perception.camera.path.marks import KeyframeMarks, both
from reenact.perception.camera.path.register import FramePoses, place_frames
from reenact.perception.camera.path.selfcal import FoundLens, lens_from_motion
from reenact.perception.camera.path.tracks import CornerFollower, CornerTracks
from reenact.scene import CameraTrack, Clip, HandLandmarks

_WIDEST = 0.2
"""Rays with less than this cosine to the axis (78 degrees) are left out of a flattened fisheye picture."""


@dataclass(frozen=True, eq=False)
class SolvedPath:
    """A believed path; unit and frame are the map's."""

    poses: FramePoses
    points_map: Float64[np.ndarray, "p 3"]
    far: float
    """Median distance of the points, in the map's unit."""
    trust: PathTrust
    lens: FoundLens | None
    """The lens as the motion tells it; None where it stays as it was."""


def solve_path(
    frames: Iterable[Frame], clip: Clip, camera: CameraTrack, landmarks: HandLandmarks, config: PathConfig
) -> tuple[SolvedPath | None, dict[str, Any]]:
    """The path, or None with the reason among the diagnostics (JSON-able).

    ``frames``: every frame of the clip in order. ``camera``: its lens; a lens that is only assumed ("prior") is asked
    for from the motion first.

    Raises:
        NoMapper: ``pycolmap`` is not installed.
    """
    tracks, marks, width, height = _follow(frames, clip, landmarks, config)
    notes: dict[str, Any] = {"keyframes": len(tracks.keyframes), "tracks": len(np.unique(tracks.track))}
    if not 3 <= len(tracks.keyframes) <= config.mapping.max_keyframes:
        return None, notes | {
            "reason": f"{len(tracks.keyframes)} keyframes: 3 to {config.mapping.max_keyframes}"
        }
    lens, tracks = _flatten(tracks, marks, camera.camera(), width, height, config.seed)
    notes["marks"] = len(np.unique(tracks.track)) - notes["tracks"]
    found_lens = None
    if camera.intrinsics_source == "prior" and camera.model == "pinhole":
        parts = solve_parts(tracks, lens, config, refine_lens=True)
        keyframes = len(tracks.keyframes)
        found_lens, notes["lens"] = lens_from_motion(parts, lens, camera.focal_sigma, keyframes, config.lens)
    if found_lens is None:
        parts = solve_parts(tracks, lens, config)
    else:
        lens = found_lens.applied(lens)
    found = parts.whole
    if found is None or len(found.points_map) == 0:
        return None, notes | {"reason": "corners do not fit one motion of the camera"}
    poses = place_frames(found, tracks, lens, clip.t_seconds, config)
    trust = judge_path(found, parts.halves, poses, config.judge)
    notes |= {"reason": trust.reason, "trust": asdict(trust)}
    if not trust.believed:
        return None, notes
    return SolvedPath(poses, found.points_map, median_distance(found), trust, found_lens), notes


def _follow(
    frames: Iterable[Frame], clip: Clip, landmarks: HandLandmarks, config: PathConfig
) -> tuple[CornerTracks, KeyframeMarks, int, int]:
    follower, marks, width, height = CornerFollower(config.tracks), KeyframeMarks(config.marks), 0, 0
    for index, (t_ns, rgb) in enumerate(frames):
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        shrink = min(1.0, config.tracks.height_px / grey.shape[0])
        width, height = round(grey.shape[1] * shrink), round(grey.shape[0] * shrink)
        if shrink < 1:
            grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
        scale = np.array([width / clip.width_px, height / clip.height_px])
        px = (landmarks.landmarks_px[index] + 0.5) * scale - 0.5
        hands = hand_pixels(px, landmarks.valid[index], width, height, config.tracks.near_palms)
        if follower.add(grey, hands, float(t_ns - clip.t_ns[0]) * 1e-9):
            marks.add(index, grey, hands)
    return follower.result(), marks, width, height


def _flatten(
    tracks: CornerTracks,
    marks: KeyframeMarks,
    camera: PinholeCamera | FisheyeCamera,
    width: int,
    height: int,
    seed: int,
) -> tuple[PinholeLens, CornerTracks]:
    """Sightings as a pinhole camera of the same focal length and square pixels would have them, marks chained."""
    scale = np.array([camera.width_px / width, camera.height_px / height])
    focal = float(np.sqrt(camera.fx * camera.fy) * width / camera.width_px)
    centre = (np.array([camera.cx, camera.cy]) + 0.5) / scale - 0.5

    def flat(xy_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rays = camera.unproject((xy_px + 0.5) * scale - 0.5)
        wide = rays[:, 2] < _WIDEST
        return focal * rays[:, :2] / np.where(wide, 1.0, rays[:, 2])[:, None] + centre, ~wide

    xy, kept = flat(tracks.xy_px)
    followed = CornerTracks(tracks.track[kept], tracks.frame[kept], xy[kept], tracks.keyframes, tracks.frames)
    straight = KeyframeMarks(marks.config, marks.frames)
    for xy_px, looks in zip(marks.xy_px, marks.looks, strict=True):
        xy, kept = flat(xy_px)
        straight.xy_px.append(xy[kept])
        straight.looks.append(looks[kept])
    lens = PinholeLens(focal, float(centre[0]), float(centre[1]), width, height)
    return lens, both(followed, straight.tracks(focal, centre, tracks.frames, seed))
