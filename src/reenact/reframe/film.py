"""The ego video: the source clip on the left, the same moment from the virtual camera on the right.

The right half is drawn from the reconstruction alone. It holds no pixel of the clip and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from reenact.reframe.eyes import EgoView, scene_up
from reenact.reframe.ground import ground_of
from reenact.reframe.studio import EgoLooks, EgoStudio
from reenact.rendering.palette import SIDE_RGB, STATE_RGB, object_rgb
from reenact.scene import InteractionState, Scene
from reenact.video.reader import VideoReader
from reenact.video.writer import write_frames

_INK, _MISSING = (60, 60, 60), (179, 38, 30)


@dataclass(frozen=True)
class EgoVideoConfig:
    """The ego video."""

    looks: EgoLooks = field(default_factory=EgoLooks)
    """Cost and looks of the drawn half; the camera's own size decides its pixels."""
    beside: bool = True
    """Put the source clip on the left."""


def write_ego_video(
    path: Path,
    scene: Scene,
    view: EgoView,
    clip_video: Path | None,
    config: EgoVideoConfig | None = None,
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Render and write the mp4.

    Args:
        path: the file to write.
        scene: what is drawn.
        view: from `place_ego_camera`.
        clip_video: the clip, one frame per scene frame; None leaves the left half out.
        config: looks.
        report: called with frames done and frames in all.

    Raises:
        NoGlError: this machine cannot render.
        VideoWriteError: no space, or the folder may not be written.
    """
    config = config or EgoVideoConfig()
    up, _, _ = scene_up(scene)
    ground = ground_of(scene, up)
    count, height = len(scene.clip.t_ns), view.camera.height_px
    beside = clip_video if config.beside else None
    words = [f"virtual view, drawn from the reconstruction; {ground.words}"]
    if view.up_from == "camera" or scene.camera.gravity_source == "prior":
        words.append("up is assumed")
    with EgoStudio(scene, view.camera, up, ground, config.looks) as studio:
        frames = _drawn(studio, scene, "; ".join(words))
        if beside is not None:
            clip = VideoReader(beside).frames(height)
            frames = (
                np.concatenate([_fitted(left, height), right], axis=1)
                for right, (_, left) in zip(frames, clip, strict=False)
            )
        written = None if report is None else lambda done: report(done, count)
        write_frames(path, frames, round(scene.clip.nominal_fps_hz, 3), keyframe_every=15, written=written)


def _drawn(studio: EgoStudio, scene: Scene, words: str) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Every frame as the virtual camera sees it, with what is to be said about it."""
    for frame in range(len(scene.clip.t_ns)):
        picture = np.ascontiguousarray(studio.render(frame))
        _label(picture, scene, frame, words)
        yield picture


def _fitted(frame: UInt8[np.ndarray, "h w 3"], height_px: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The frame at that height, an even number of pixels wide."""
    width = max(2, 2 * round(frame.shape[1] * height_px / frame.shape[0] / 2))
    if frame.shape[:2] == (height_px, width):
        return frame
    return np.asarray(cv2.resize(frame, (width, height_px), interpolation=cv2.INTER_AREA))


def _label(picture: np.ndarray, scene: Scene, frame: int, words: str) -> None:
    """Time, which hands are known, what each object does, and what kind of picture this is."""
    _text(picture, f"{scene.clip.t_seconds[frame]:5.2f} s", (8, 20), _INK)
    for side, name in enumerate(("left", "right")):
        known = scene.hands is not None and bool(scene.hands.valid[frame, side])
        text = name if known else f"{name} unknown"
        _text(picture, text, (84 + 118 * side, 20), SIDE_RGB[side] if known else _MISSING)
    objects = scene.objects
    for k in range(0 if objects is None else min(len(objects.object_ids), 6)):
        assert objects is not None
        y = 40 + 18 * k
        cv2.circle(picture, (14, y - 5), 5, object_rgb(k), -1, cv2.LINE_AA)
        words_k, ink = _object_words(scene, frame, k)
        _text(picture, f"{objects.names[k]}{words_k}", (26, y), ink)
    _text(picture, words, (8, picture.shape[0] - 10), _INK, 0.4)


def _object_words(scene: Scene, frame: int, object_idx: int) -> tuple[str, tuple[int, int, int]]:
    """What the object does, in the state's colour (darker, to be read on a pale ground); red where that is not known."""
    objects, states = scene.objects, scene.states
    if objects is not None and not objects.valid[frame, object_idx]:
        return ": place unknown", _MISSING
    if states is None:
        return "", _INK
    known = bool(states.valid[frame, object_idx])
    state = InteractionState(int(states.state[frame, object_idx])) if known else InteractionState.UNKNOWN
    if state == InteractionState.UNKNOWN:
        return ": state unknown", _MISSING
    r, g, b = (int(0.7 * c) for c in STATE_RGB[state])
    return f": {state.name.lower().replace('_', ' ')}", (r, g, b)


def _text(
    picture: np.ndarray, text: str, at: tuple[int, int], rgb: tuple[int, int, int], size: float = 0.5
) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, rgb, 1, cv2.LINE_AA)
