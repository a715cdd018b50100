"""Stage `depth`: how far pixels are. In: clip, camera, hands, masks (and `depth_files`, or truth).

Out: the `depth` record and the volume `depth.h5`; with depth pictures also `scales` (what made metres of them) and
`hands_depth` (the hands at the distance that depth gives them). Without depth pictures only the hands have depth, and
points of the room where the path of a moving camera was solved (backend `sparse`). How relative depth
becomes metric: `depth_metres`.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.errors import InputError
from reenact.perception.depth.contract import DepthBackend
from reenact.perception.depth.files import DepthFilesConfig, DepthFolder
from reenact.perception.depth.kept import KeptDepth
from reenact.perception.depth.net_files import SUFFIXES, NetDepthConfig, NetDepthFiles
from reenact.perception.depth.sparse import SparseDepth, SparseDepthConfig
from reenact.perception.depth.stereo import StereoCalibration, StereoConfig, StereoPairs
from reenact.perception.depth.stored import write_depth
from reenact.perception.depth.truth import TruthDepth, TruthDepthConfig
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.records.volumes import VolumeReader
from reenact.scene import CameraTrack, Clip, HandTracks
from reenact.stages.clip import load_clip
from reenact.stages.depth_metres import MetresConfig, calibrate
from reenact.stages.masks import load_masks
from reenact.stages.notes import write_notes
from reenact.stages.points import DEPTH_UNITS
from reenact.stages.scene import load_camera_path

_PICTURES = (".png", ".jpg", ".jpeg")


class NoDepthFiles(InputError):
    """A backend that reads files was chosen, and no folder was given."""


@dataclass(frozen=True)
class DepthConfig:
    """Which backend, and its settings."""

    backend: Literal["auto", "files", "net", "stereo", "sparse", "truth"] = "auto"
    """auto: the folder given with --depth (a stereo pair if it holds `stereo.edex`, a net's chunks if it holds `.npz` or
    `.h5`, else pictures), or sparse without one; sparse: hands, and
    points of the room before a moving camera; truth: a toy clip's own depth with stated noise."""
    files: DepthFilesConfig = field(default_factory=DepthFilesConfig)
    """How depth pictures are encoded."""
    net: NetDepthConfig = field(default_factory=NetDepthConfig)
    """A net's depth, stored in chunks."""
    stereo: StereoConfig = field(default_factory=StereoConfig)
    """Matching of pairs."""
    sparse: SparseDepthConfig = field(default_factory=SparseDepthConfig)
    """Drawing of hands."""
    truth: TruthDepthConfig = field(default_factory=TruthDepthConfig)
    """Noise put on the truth."""
    metres: MetresConfig = field(default_factory=MetresConfig)
    """How depth becomes metric, and moves the hands."""


def run(call: StageCall[DepthConfig]) -> None:
    """See the module's docstring."""
    clip = load_clip(call.inputs["clip"])
    with _backend(call, clip) as backend:
        given, notes, calibrated = backend, dict(backend.diagnostics), None
        if is_dense(backend.name):
            calibrated = calibrate(backend, call.inputs, call.config.metres)
            given, notes = calibrated.depth, {**notes, **calibrated.notes}
        record = write_depth(given, len(clip.t_ns), call.out, call.report)
    if calibrated is not None:
        save_record(calibrated.scales, call.out, "scales")
        if calibrated.hands is not None:
            save_record(calibrated.hands, call.out, "hands_depth")
    write_notes(
        call.out,
        {
            "backend": record.backend,
            "licence": record.licence,
            "kind": record.kind,
            "scale_source": record.scale_source,
            "frames_known": float(record.valid.mean()) if len(record.valid) else 0.0,
            "dense": is_dense(record.backend),
            **notes,
        },
    )


def is_dense(backend: str) -> bool:
    """Whether a depth record says anything of objects (the sparse backend knows hands and the room only)."""
    return backend != SparseDepth.name


@contextlib.contextmanager
def _backend(call: StageCall[DepthConfig], clip: Clip) -> Iterator[DepthBackend]:
    config, folder = call.config, call.inputs.get("depth_files")
    kind = config.backend
    if kind == "auto":
        kind = "sparse" if folder is None else _kind_of(folder)
    if kind in ("files", "net", "stereo") and folder is None:
        raise NoDepthFiles(f"depth backend {kind} without files", hint="--depth FOLDER")
    if kind == "files" and folder is not None:
        yield DepthFolder(folder, clip.source_frame_idx, config.files)
    elif kind == "net" and folder is not None:
        yield NetDepthFiles(folder, clip.source_frame_idx, config.net)
    elif kind == "stereo" and folder is not None:
        pairs = _pairs(folder, clip, config.stereo)
        with tempfile.TemporaryDirectory() as work, KeptDepth(pairs, len(clip.t_ns), Path(work)) as kept:
            yield kept
    elif kind == "truth":
        with VolumeReader(call.inputs["truth"] / "depth.h5") as volume:
            unit = np.float32(DEPTH_UNITS.get(volume.unit, 1.0))
            yield TruthDepth(lambda k: volume[k].astype(np.float32) * unit, len(clip.t_ns), config.truth)
    else:
        camera = load_record(CameraTrack, call.inputs["camera"], "camera")
        hands = load_record(HandTracks, call.inputs["hands"], "hands")
        masks = load_masks(call.inputs["masks"])
        room = load_camera_path(call.inputs)
        with SparseDepth(camera, hands, None, lambda k: masks.labels[k], config.sparse, room) as sparse:
            yield sparse


def _kind_of(folder: Path) -> Literal["files", "net", "stereo"]:
    """By what the folder holds."""
    if (folder / "stereo.edex").is_file():
        return "stereo"
    arrays = folder.is_dir() and any(p.suffix.lower() in SUFFIXES for p in folder.iterdir())
    return "net" if arrays else "files"


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
