"""The report's page for a scene as it lies on disk: no run, no robots, the same hands, objects, bands and curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from reenact.quality.hands import measure_hands
from reenact.quality.unknowns import scene_unknowns
from reenact.scene import Clip, Scene
from reenact.stages.report_curves import hand_plots
from reenact.stages.report_notes import ego_table, numbers_table, scene_flags, support_table
from reenact.stages.report_objects import object_plots, object_tables, object_tiles
from reenact.stages.report_scales import scales_plots, scales_table
from reenact.stages.report_tables import camera_table, hands_table, source_table
from reenact.stages.scene import as_shown
from reenact.video.info import scaled_size
from reenact.video.source import open_video
from reenact.video.writer import VideoWriter
from reenact.viewer.report import Plot, ReportContent, Table, write_report

PREVIEW_HEIGHT_PX = 480


def write_scene_page(
    path: Path, scene: Scene, video: Path | None, work: Path, numbers: Mapping[str, Any] | None = None
) -> None:
    """Write the page.

    Args:
        path: the html file to write.
        scene: everything known.
        video: the source whose frames at the clip's times are shown; None: a grey picture that says so.
        work: a folder for the small copy of the clip.
        numbers: measures to be listed (as in `quality.json`), if there are any.

    Raises:
        SetupError: no disk space.
        InputError: the video lacks the clip's frames.
    """
    shown, preview = as_shown(scene), work / "clip.mp4"
    write_preview(preview, scene.clip, video)
    clip = scene.clip
    content = ReportContent(
        title=clip.clip_id,
        subtitle=scene_subtitle(clip),
        scene=shown,
        video=preview,
        video_fps_hz=clip.nominal_fps_hz,
        tiles=_tiles(shown),
        plots=[
            plot
            for plot in (*hand_plots(scene), *object_plots(shown), *scales_plots(scene))
            if _says_something(plot)
        ],
        tables=_tables(scene, numbers),
        unknowns=scene_unknowns(scene),
        flags=scene_flags(scene),
    )
    write_report(path, content)


def _says_something(plot: Plot) -> bool:
    """Not all zero, as the errors of truth are."""
    return any(np.abs(s.values[s.mask]).max(initial=0) > 1e-6 for s in plot.series)


def scene_subtitle(clip: Clip) -> str:
    """Source, size, frames, rate, length."""
    return (
        f"{clip.source_name}, {clip.width_px}x{clip.height_px}, {len(clip.t_ns)} frames at {clip.nominal_fps_hz:.4g} Hz, "
        f"{clip.duration_s:.1f} s"
    )


def write_preview(path: Path, clip: Clip, video: Path | None) -> None:
    """A small constant-rate copy of the clip, one frame per scene frame."""
    width, height = scaled_size(clip.width_px, clip.height_px, PREVIEW_HEIGHT_PX)
    path.parent.mkdir(parents=True, exist_ok=True)
    fps = round(clip.nominal_fps_hz, 3)
    with VideoWriter(path, width, height, fps, keyframe_every=8, crf=20) as writer:
        if video is None:
            grey = np.full((height, width, 3), 90, np.uint8)
            words, place = "the clip's video was not found", (12, height // 2)
            cv2.putText(
                grey, words, place, cv2.FONT_HERSHEY_SIMPLEX, width / 800, (230, 230, 230), 1, cv2.LINE_AA
            )
            for _ in range(len(clip.t_ns)):
                writer.write(grey)
            return
        for _, rgb in open_video(video).frames(PREVIEW_HEIGHT_PX, clip.t_ns):
            writer.write(rgb)


def _tiles(scene: Scene) -> list[tuple[str, str]]:
    hands = scene.hands
    seen = [] if hands is None else [(f"{hands.valid.any(axis=1).mean():.0%}", "frames with a hand")]
    return seen + object_tiles(scene)


def _tables(scene: Scene, numbers: Mapping[str, Any] | None) -> list[Table]:
    tables = []
    if scene.hands is not None and scene.hands_raw is not None:
        raw, refined = (
            measure_hands(h, scene.camera, scene.clip.t_ns) for h in (scene.hands_raw, scene.hands)
        )
        tables.append(hands_table(raw, refined))
    tables += object_tables(as_shown(scene))
    scales = scales_table(scene)
    tables += [scales] if scales is not None else []
    tables += [support_table(scene.support)] if scene.support is not None else []
    tables += [ego_table(scene.ego)] if scene.ego is not None else []
    tables += [numbers_table("Measures", numbers)] if numbers else []
    return [*tables, camera_table(scene.camera, scene.camera_path, {}), source_table(scene, [])]
