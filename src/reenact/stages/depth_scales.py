"""The book of a clip's scales: one row per opinion, who was believed, and where two do not agree."""

from __future__ import annotations

import numpy as np

from reenact.perception.depth.contract import DepthBackend
from reenact.refine.calibration.clip_depth import ClipDepth, frame_table
from reenact.refine.calibration.hand_scale import WIDTH_SIGMA, ScaleEstimate
from reenact.refine.calibration.hand_track import CorrectedHands
from reenact.scene import MetricScales

ODD_SIGMAS = 3.0
"""Two opinions of a scale that differ by more (in sigmas of what they do not share) are flagged."""

Row = tuple[str, str, float, float, int, bool, str]
"""As the columns of `MetricScales`."""


def given_scale(backend: DepthBackend, scale: float | None, sigma: float) -> Row:
    """The row of depth whose metres were measured, or whose scale the user gave with its relative one-sigma."""
    if scale is not None:
        return ("depth", "user", scale, sigma, 0, True, "the user gave the scale")
    source = backend.scale_source if backend.scale_source in ("sensor", "stereo", "truth") else "sensor"
    return ("depth", source, 1.0, 0.0, 0, True, f"metres as measured ({backend.name})")


def opinion_rows(own: ScaleEstimate | None, width: ScaleEstimate | None, used: bool) -> list[Row]:
    """Rows of what the hands' skin and their width say; only the skin's may be used."""
    words = {
        "hand_skin": "the skin of the hands, drawn, against the depth inside their outlines",
        "hand_width": "the hands' width against that of their unprojected outlines (DexMan B.2)",
    }
    return [
        ("depth", e.source, e.scale, e.sigma_relative, e.count, used and e is own, words[e.source])
        for e in (own, width)
        if e is not None
    ]


def scales_record(
    rows: list[Row], depth: ClipDepth, corrected: CorrectedHands | None, frames: int
) -> MetricScales:
    """The record of all rows, with the hand length by depth where that was found, and the maps frame by frame."""
    if corrected is not None and corrected.size_factor != 1.0:
        words = "the hands' distance by depth against that by their size"
        rows = [*rows, ("hand length", "depth", corrected.size_factor, corrected.size_sigma, 0, True, words)]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    scale, shift = frame_table(depth, frames)
    known = np.array([depth.chunk_of(k) is not None for k in range(frames)])
    moved = corrected.moved if corrected is not None else np.zeros((frames, 2))
    return MetricScales(
        subjects=tuple(columns[0]),
        origins=tuple(columns[1]),
        value=np.array(columns[2], np.float64),
        sigma_relative=np.array(columns[3], np.float64),
        count=np.array(columns[4], np.int64),
        used=np.array(columns[5], bool),
        reasons=tuple(columns[6]),
        frame_scale=scale,
        frame_shift=shift,
        valid=known,
        hand_moved=moved,
    )


def disagreement(opinions: tuple[ScaleEstimate | None, ScaleEstimate | None] | None) -> list[str]:
    """Where the hands' skin and their width do not agree; the size they share is not part of that."""
    if opinions is None or opinions[0] is None or opinions[1] is None:
        return []
    skin, width = opinions[0], opinions[1]
    off = float(np.log(width.scale / skin.scale))
    if abs(off) <= ODD_SIGMAS * WIDTH_SIGMA:
        return []
    return [
        f"the hands' width (DexMan B.2) gives a scale that differs from that of their skin by {np.expm1(off):+.0%}"
    ]
