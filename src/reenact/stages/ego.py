"""Stage `ego`: the virtual camera at the person's eyes. In: the scene's artefacts. Out: the `ego` record, `ego.mp4`.

`notes.json` says how far off it had to stand, where its up-direction is from, and what it measures.
"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reenact.pipeline.stage import StageCall
from reenact.records import save_record
from reenact.records.files import atomic_file
from reenact.reframe.carry import scene_to_ego
from reenact.reframe.eyes import EgoConfig, EgoView, place_ego_camera
from reenact.reframe.film import EgoVideoConfig, write_ego_video
from reenact.scene import Scene
from reenact.stages.clip import PREVIEW_NAME
from reenact.stages.notes import write_notes
from reenact.stages.scene import as_shown, load_scene
from reenact.stages.scene_page import write_preview

EGO_VIDEO = "ego.mp4"
EGO_FRAME = "ego_frame.npz"


@dataclass(frozen=True)
class EgoStageConfig:
    """The virtual camera and its video."""

    camera: EgoConfig = field(default_factory=EgoConfig)
    """Place, lens and calm."""
    video: EgoVideoConfig = field(default_factory=EgoVideoConfig)
    """Looks of the video."""
    film: bool = True
    """Draw the video; without it only the camera is made."""


def run(call: StageCall[EgoStageConfig]) -> None:
    """See the module's docstring."""
    scene = as_shown(load_scene(call.inputs))
    view = place_ego_camera(scene, call.config.camera)
    save_record(view.camera, call.out, "ego")
    write_notes(call.out, ego_notes(view))
    if call.config.film:
        preview = call.inputs["clip"] / PREVIEW_NAME
        write_ego_video(call.out / EGO_VIDEO, scene, view, preview, call.config.video, call.report)


def ego_notes(view: EgoView) -> dict[str, Any]:
    """What was chosen and what it measures, as plain words and numbers."""
    flags = []
    if view.stand_off > 1.0:
        flags.append(
            f"stands {view.stand_off:.2f} times farther off than eyes do, to have the hands in the picture"
        )
    if view.heading_agreement < 0.4:
        flags.append(
            f"the way the person faces is doubtful: the hands' cues agree to {view.heading_agreement:.0%} only"
        )
    if view.up_from == "camera":
        flags.append("up is the real camera's own, an assumption")
    elif view.camera.gravity_source == "prior":
        flags.append(f"up is an assumption, one sigma {np.rad2deg(view.camera.gravity_sigma):.0f} degrees")
    return {
        "stand_off": view.stand_off,
        "smoothing_s": view.cutoff_s,
        "heading_agreement": view.heading_agreement,
        "up_from": view.up_from,
        "source_view": view.source_view,
        "measures": dataclasses.asdict(view.measures),
        "flags": flags,
    }


def reframe_scene(scene: Scene, video: Path | None, out: Path, config: EgoStageConfig) -> EgoView:
    """The same for a scene that lies in a folder: camera, notes, `ego_frame.npz` and the video into `out`.

    Args:
        scene: with metric hands.
        video: the source or its small copy; None: the video shows the virtual view alone.
        out: where to write; made if need be.
        config: camera and video.

    Raises:
        NoHandsToFollow: the scene has no metric hand.
        NoGlError: this machine cannot render and a video was asked for.
    """
    scene = as_shown(scene)
    view = place_ego_camera(scene, config.camera)
    out.mkdir(parents=True, exist_ok=True)
    save_record(view.camera, out, "ego")
    write_notes(out, ego_notes(view))
    with atomic_file(out / EGO_FRAME) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **carried_arrays(scene, view))  # type: ignore[arg-type]
    if config.film:
        with tempfile.TemporaryDirectory() as work:
            preview = None if video is None else Path(work) / PREVIEW_NAME
            if preview is not None:
                write_preview(preview, scene.clip, video)
            write_ego_video(out / EGO_VIDEO, scene, view, preview, config.video)
    return view


def carried_arrays(scene: Scene, view: EgoView) -> dict[str, np.ndarray]:
    """Everything in the ego frame as plain arrays, with validity; what the scene has not is not there."""
    carried = scene_to_ego(scene, view.camera)
    arrays = {
        "t_ns": scene.clip.t_ns,
        "T_world_ego": view.camera.T_world_camera,
        "T_ego_camera": carried.T_ego_camera,
        "ego_lens_fx_fy_cx_cy": view.camera.params,
    }
    if scene.hands is not None and carried.joints_ego is not None:
        arrays |= {"joints_ego": carried.joints_ego, "hands_valid": scene.hands.valid}
    if scene.objects is not None and carried.T_ego_object is not None:
        arrays |= {"T_ego_object": carried.T_ego_object, "objects_valid": scene.objects.valid}
    if scene.points is not None and carried.points_ego is not None:
        arrays |= {"points_ego": carried.points_ego, "points_valid": scene.points.valid_world}
    return arrays
