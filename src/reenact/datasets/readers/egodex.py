"""EgoDex: `<task>/<n>.hdf5` beside `<n>.mp4` (1080p, 30 Hz).

Source: ARKit world, metres, y up; `transforms/<joint>` t x 4 x 4, and `transforms/camera` is camera-to-world. The
camera's axes are taken for OpenCV's (x right, y down, z forward), as the authors' own projection code uses them.
Hands: 25 joints each; the four metacarpals of the fingers are left out for our 21. `confidences/<joint>` 0..1 is
bimodal with a spike near 0.003: below 0.1 a joint is missing. A hand is valid where wrist and all four knuckles are
seen. Files without `confidences` give valid hands of confidence unknown (0.5). Task: `llm_description` (or
`llm_description2` where `which_llm_description` says 2). Licence forbids passing converted data on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Images, PartialHands, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import T_ZUP_YUP, nominal_times, rigid
from reenact.datasets.readers.licences import EGODEX
from reenact.datasets.readers.orders import egodex_names
from reenact.datasets.readers.probes import hdf5_shapes
from reenact.datasets.readers.tracks import camera_track, hand_tracks, pinhole_params
from reenact.hands.joints import MCPS, SIDES, WRIST

FPS_HZ = 30.0
_NEEDED = (WRIST, *MCPS)


@dataclass(frozen=True)
class EgoDexConfig:
    """How sure a joint must be, and the picture."""

    min_confidence: float = 0.1
    """Below, a joint is missing: the histogram has a spike near 0.003 and little up to 0.1."""
    width_px: int = 1920
    height_px: int = 1080


def sniff(path: Path) -> bool:
    """An HDF5 file with transforms of a camera and of ARKit hands."""
    names = ("transforms/camera", "transforms/leftIndexFingerKnuckle")
    return len(hdf5_shapes(path, names)) == len(names)


def read(path: Path, config: EgoDexConfig | None = None) -> Iterator[HumanEpisode]:
    """The one episode; raises `DamagedSource`, `UnitUnsure`, `LensUnsure`."""
    import h5py

    config = config or EgoDexConfig()
    with h5py.File(path, "r") as file:
        K = np.asarray(file["camera/intrinsic"], np.float64)
        T_camera = T_ZUP_YUP @ rigid(file["transforms/camera"][()])
        T, sure, stated = _hands(file, len(T_camera))
        words = {key: _word(value) for key, value in file.attrs.items()}
    seen = sure >= config.min_confidence
    valid = np.asarray(seen[:, :, _NEEDED].all(-1))
    joints = T[..., :3, 3]
    video = path.with_suffix(".mp4")
    t = len(T_camera)
    yield HumanEpisode(
        episode_id=f"{path.parent.name}/{path.stem}",
        t_ns=nominal_times(t, FPS_HZ),
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="world",
        provenance=Provenance(
            format="egodex",
            source=f"{path.parent.name}/{path.name}",
            version="hdf5",
            licence=EGODEX,
            joint_order="ARKit, 25 per hand; metacarpals left out",
            fingertips="ARKit FingerTip joints",
            translated=("world y up to z up", "camera-to-world kept as T_world_camera",
                        f"confidence below {config.min_confidence} is missing"),
            unknown=("objects", *(() if stated else ("confidences",))),
        ),
        task=_task(words),
        camera=camera_track(T_camera, model="pinhole", params=pinhole_params(K), width_px=config.width_px,
                            height_px=config.height_px, world_frame="world", truth=False),
        hands=hand_tracks(joints, valid, world_frame="world", truth=False,
                          confidence=np.minimum(1.0, sure[:, :, _NEEDED].mean(-1))),
        partial=PartialHands(
            joints_world=np.where(seen[..., None], joints, 0.0), joint_valid=seen,
            joint_confidence=np.where(seen, sure, 0.0), T_world_wrist=T[:, :, WRIST], wrist_valid=seen[:, :, WRIST],
            wrist_frame="ARKit hand joint"),
        images=(Images(video.name, config.width_px, config.height_px),) if video.is_file() else (),
    )  # fmt: skip


def _hands(file: Any, t: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """`T_world_joint` [t 2 21 4 4] in our world, confidence [t 2 21], and whether the file states it."""
    T, sure = np.zeros((t, 2, 21, 4, 4)), np.full((t, 2, 21), 0.5)
    stated = "confidences" in file
    for s, side in enumerate(SIDES):
        for j, name in enumerate(egodex_names(side)):
            key = f"transforms/{name}"
            if key not in file:
                raise DamagedSource(f"joint {name} is not in the file", hint="68 ARKit joints")
            if file[key].shape != (t, 4, 4):
                raise DamagedSource(f"{key} has shape {file[key].shape}", hint=f"({t}, 4, 4)")
            T[:, s, j] = T_ZUP_YUP @ rigid(file[key][()])
            if stated:
                sure[:, s, j] = np.clip(file[f"confidences/{name}"][()], 0.0, 1.0)
    return T, sure, stated


def _task(words: dict[str, str]) -> str:
    if words.get("which_llm_description") == "2" and words.get("llm_description2"):
        return words["llm_description2"]
    return words.get("llm_description") or words.get("description") or words.get("task", "")


def _word(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
