"""Where the metres come from, in the report: every scale with its origin and sigma, and what depth made of the hands."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from reenact.hands.joints import SIDES
from reenact.scene import MetricScales, Scene
from reenact.viewer.report import SIDE_COLORS, Plot, Series, Table

ORIGINS = {
    "hand_skin": "hands' skin",
    "hand_width": "hands' width",
    "depth": "measured depth",
    "sensor": "depth camera",
    "stereo": "stereo pair",
    "user": "user",
    "truth": "truth",
}


def scales_table(scene: Scene) -> Table | None:
    """One row per scale, the rows of hands moved by depth, and of the scales that have no row of their own."""
    rows: list[tuple[str, str, str]] = []
    scales = scene.scales
    if scales is not None:
        rows += [_row(scales, i) for i in range(len(scales.value))]
        rows += _frame_rows(scales)
        rows += _hand_rows(scales)
    hands = scene.hands_depth or scene.hands
    if hands is not None:
        source = {"adult_prior": "an assumption: adults spread 6 %"}.get(hands.hand_length_source, "")
        length = f"{hands.hand_length.mean() * 100:.1f} cm"
        rows.append(("hand length", length, source or f"from: {hands.hand_length_source}"))
    return Table("Metric scale", tuple(rows)) if scales is not None else None


def _row(scales: MetricScales, i: int) -> tuple[str, str, str]:
    subject = f"{scales.subjects[i]}, by {ORIGINS[scales.origins[i]]}"
    value = f"{scales.value[i]:.4g} +- {scales.sigma_relative[i]:.1%}"
    note = scales.reasons[i] if scales.used[i] else f"second opinion, not used: {scales.reasons[i]}"
    count = f" ({scales.count[i]} hands)" if scales.count[i] else ""
    return subject, value, note + count


def _frame_rows(scales: MetricScales) -> list[tuple[str, str, str]]:
    if not scales.valid.any():
        return []
    own = scales.frame_scale[scales.valid] / np.median(scales.frame_scale[scales.valid])
    low, high = own.min() - 1, own.max() - 1
    shift = np.abs(scales.frame_shift[scales.valid]).max()
    if max(abs(low), abs(high)) < 1e-9 and shift < 1e-9:
        return []
    note = "of single frames about their middle: chunks joined, frames brought to the room behind"
    return [("depth, frame by frame", f"{low:+.1%} to {high:+.1%}, shifts up to {shift * 100:.1f} cm", note)]


def _hand_rows(scales: MetricScales) -> list[tuple[str, str, str]]:
    rows = []
    for s, side in enumerate(SIDES):
        moved = scales.hand_moved[:, s]
        if (moved != 0).any():
            middle = np.median(moved[moved != 0]) * 100
            rows.append(
                (
                    f"{side} hand, moved by depth",
                    f"{middle:+.1f} cm",
                    f"median; farther is +; up to {np.abs(moved).max() * 100:.1f} cm",
                )
            )
    return rows


def scales_plots(scene: Scene) -> list[Plot]:
    """How far depth moved each hand, over time."""
    scales = scene.scales
    if scales is None or not (scales.hand_moved != 0).any():
        return []
    series = tuple(
        Series(side, scales.hand_moved[:, s] * 100, scales.hand_moved[:, s] != 0, SIDE_COLORS[s])
        for s, side in enumerate(SIDES)
        if (scales.hand_moved[:, s] != 0).any()
    )
    low = min(float(scales.hand_moved.min()) * 100, 0.0)
    return [Plot("hands moved by depth", "cm", series, "farther from the camera is +", bottom=low)]


def scales_numbers(scene: Scene) -> list[dict[str, Any]] | None:
    """The same for `quality.json`; None where there is no dense depth."""
    scales = scene.scales
    if scales is None:
        return None
    names = ("subjects", "origins", "value", "sigma_relative", "count", "used", "reasons")
    columns = {f.name: getattr(scales, f.name) for f in dataclasses.fields(scales) if f.name in names}
    return [{name: columns[name][i] for name in names} for i in range(len(scales.value))]
