"""Stage `depth`: how far pixels are. In: clip, camera, hands, masks (and `depth_files`, or truth).

Out: the `depth` record and the volume `depth.h5`. Without depth pictures only the hands have depth (backend `sparse`).
Relative depth becomes metric by the hands: their drawn skin against the depth inside their masks; before that, a still
camera's frames are brought to the room behind everything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reenact.errors import InputError
from reenact.geometry.transforms import apply, inverse
from reenact.perception.depth.contract import DepthBackend
from reenact.perception.depth.files import DepthFilesConfig, DepthFolder
from reenact.perception.depth.sparse import SparseDepth, SparseDepthConfig
from reenact.perception.depth.stereo import StereoCalibration, StereoConfig, StereoPairs
from reenact.perception.depth.stored import FrameScale, write_depth
from reenact.perception.depth.truth import TruthDepth, TruthDepthConfig
from reenact.pipeline.stage import StageCall
from reenact.records import load_record
from reenact.records.volumes import VolumeReader
from reenact.refine.calibration.affine import AffineDepth, background_template, to_template
from reenact.refine.calibration.hand_depth import HandDepth, scale_from_hands
from reenact.rendering.mesh_depth import View
from reenact.scene import CameraTrack, Clip, HandTracks
from reenact.stages.clip import load_clip
from reenact.stages.masks import load_masks
from reenact.stages.notes import write_notes
from reenact.stages.points import DEPTH_UNITS

TEMPLATE_FRAMES = 24
"""Frames from which the picture of the room behind everything is made."""
_PICTURES = (".png", ".jpg", ".jpeg")


class NoDepthFiles(InputError):
    """A backend that reads files was chosen, and no folder was given."""


@dataclass(frozen=True)
class DepthConfig:
    """Which backend, and its settings."""

    backend: Literal["auto", "files", "stereo", "sparse", "truth"] = "auto"
    """auto: the folder given with --depth (a stereo pair if it holds `stereo.edex`), else sparse; sparse: hands only;
    truth: a toy clip's own depth with stated noise."""
    files: DepthFilesConfig = field(default_factory=DepthFilesConfig)
    """How depth pictures are encoded."""
    stereo: StereoConfig = field(default_factory=StereoConfig)
    """Matching of pairs."""
    sparse: SparseDepthConfig = field(default_factory=SparseDepthConfig)
    """Drawing of hands."""
    truth: TruthDepthConfig = field(default_factory=TruthDepthConfig)
    """Noise put on the truth."""


def run(call: StageCall[DepthConfig]) -> None:
    """See the module's docstring."""
    clip = load_clip(call.inputs["clip"])
    with _backend(call, clip) as backend:
        scales, calibration = (
            ({}, {}) if backend.kind == "depth_metric" else metres_from_hands(backend, call.inputs)
        )
        record = write_depth(
            backend, len(clip.t_ns), call.out, scales=scales, metric=True if scales else None,
            scale_source="hand" if scales else None, report=call.report,
        )  # fmt: skip
        notes = {**backend.diagnostics, **calibration}
    known = float(record.valid.mean()) if len(record.valid) else 0.0
    write_notes(
        call.out,
        {
            "backend": record.backend,
            "licence": record.licence,
            "kind": record.kind,
            "scale_source": record.scale_source,
            "frames_known": known,
            "dense": is_dense(record.backend),
            **notes,
        },
    )


def metres_from_hands(
    backend: DepthBackend, inputs: Mapping[str, Path]
) -> tuple[dict[int, FrameScale], dict[str, Any]]:
    """Scale and shift of every frame of relative depth, or nothing where no frame shows a hand well enough."""
    camera = load_record(CameraTrack, inputs["camera"], "camera")
    hands = load_record(HandTracks, inputs["hands"], "hands")
    masks = load_masks(inputs["masks"])
    frames = range(len(hands.valid))
    first = next((image for image in map(backend.frame, frames) if image is not None), None)
    if first is None or camera.model != "pinhole":
        return {}, {"calibration": "no depth, or a lens through which hands are not drawn"}
    height, width = first.values.shape

    def label(frame: int) -> np.ndarray:
        small = masks.labels[frame]
        rows, columns = (
            np.arange(height) * small.shape[0] // height,
            np.arange(width) * small.shape[1] // width,
        )
        return np.asarray(small[rows][:, columns])

    def values(frame: int) -> np.ndarray | None:
        image = backend.frame(frame)
        return None if image is None else image.values

    maps = {k: AffineDepth() for k in frames}
    if camera.motion == "still":
        some = sorted({int(k) for k in np.linspace(0, len(frames) - 1, min(len(frames), TEMPLATE_FRAMES))})
        template, _ = background_template(values, lambda k: label(k) == 0, some)
        for k in frames:
            seen = values(k)
            if seen is not None:
                maps[k] = to_template(np.where(label(k) == 0, seen, 0), template)
    view = View.of(camera.params, camera.width_px, camera.height_px).resized(width, height)
    T = np.asarray(inverse(camera.scene_T_camera()))
    drawn, measured, labels = [], [], []
    with HandDepth(view) as pictures:
        for k, side in zip(*np.nonzero(hands.valid), strict=True):
            seen = values(int(k))
            if seen is not None:
                joints = np.asarray(apply(T[k], hands.joints_world[k, side]))
                drawn.append(pictures.drawn(joints, int(side), float(hands.hand_length[side])))
                measured.append(maps[int(k)](seen))
                labels.append(label(int(k)))
    scale = scale_from_hands(drawn, measured, labels, hands.hand_length_source in ("user", "truth"))
    if scale is None:
        return {}, {"calibration": "no frame shows a hand and its depth"}
    spread = float(np.hypot(scale.sigma_relative, first.sigma_relative))
    scales = {k: FrameScale(m.scale * scale.scale, m.shift * scale.scale, spread) for k, m in maps.items()}
    return scales, {
        "scale": scale.scale,
        "scale_sigma_relative": scale.sigma_relative,
        "hand_pixels": scale.count,
    }


def is_dense(backend: str) -> bool:
    """Whether a depth record says anything of objects (the sparse backend knows hands only)."""
    return backend != SparseDepth.name


@contextlib.contextmanager
def _backend(call: StageCall[DepthConfig], clip: Clip) -> Iterator[DepthBackend]:
    config, folder = call.config, call.inputs.get("depth_files")
    kind = config.backend
    if kind == "auto":
        kind = "sparse" if folder is None else "stereo" if (folder / "stereo.edex").is_file() else "files"
    if kind in ("files", "stereo") and folder is None:
        raise NoDepthFiles(f"depth backend {kind} without files", hint="--depth FOLDER")
    if kind == "files" and folder is not None:
        yield DepthFolder(folder, clip.source_frame_idx, config.files)
    elif kind == "stereo" and folder is not None:
        yield _pairs(folder, clip, config.stereo)
    elif kind == "truth":
        with VolumeReader(call.inputs["truth"] / "depth.h5") as volume:
            unit = np.float32(DEPTH_UNITS.get(volume.unit, 1.0))
            yield TruthDepth(lambda k: volume[k].astype(np.float32) * unit, len(clip.t_ns), config.truth)
    else:
        camera = load_record(CameraTrack, call.inputs["camera"], "camera")
        hands = load_record(HandTracks, call.inputs["hands"], "hands")
        with SparseDepth(camera, hands, config=config.sparse) as sparse:
            yield sparse


def _pairs(folder: Path, clip: Clip, config: StereoConfig) -> StereoPairs:
    """`stereo.edex`, and a folder of pictures each for left and right."""
    sides = []
    for side in ("left", "right"):
        found = [p for p in sorted(folder.iterdir()) if p.is_dir() and side in p.name]
        pictures = sorted(p for p in found[0].iterdir() if p.suffix.lower() in _PICTURES) if found else []
        if not pictures:
            raise NoDepthFiles(
                f"{folder.name} has no {side} pictures", hint=f"a folder with {side!r} in its name"
            )
        sides.append([pictures[int(i)] for i in clip.source_frame_idx if int(i) < len(pictures)])
    return StereoPairs(sides[0], sides[1], StereoCalibration.from_edex(folder / "stereo.edex"), config)
