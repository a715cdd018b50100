"""Coloured bands over the clip's time: which code holds in each frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reenact.rendering.palette import STATE_RGB, hex_color, object_rgb
from reenact.scene import InteractionState, InteractionStates, ObjectTracks
from reenact.viewer.encode import packed

SOURCE_COLORS = ("#e4e1da", "#2e7d4f", "#e0a800", "#5b9bd5", "#8e6bbf", "#444444")
"""By `Source` code."""
STATE_COLORS = ("#d9d5cc", *(hex_color(rgb) for rgb in STATE_RGB[1:]))
"""By `InteractionState` code; unknown is hatched as well."""
STATE_WORDS = tuple(state.name.lower().replace("_", " ") for state in InteractionState)


@dataclass(frozen=True)
class Strip:
    """One band: a code per frame and a colour per code."""

    name: str
    codes: np.ndarray
    """[t]"""
    colors: tuple[str, ...] = SOURCE_COLORS
    hatched: tuple[int, ...] = ()
    """Codes drawn hatched: nothing is known there."""
    swatch: str = ""
    """A colour shown beside the name: the object's, as everywhere on the page."""


def object_labels(objects: ObjectTracks) -> tuple[str, ...]:
    """Names; with the object's id where a name is not its own."""
    names = objects.names
    return tuple(
        name if names.count(name) == 1 and name else f"{name} ({k})".strip()
        for name, k in zip(names, objects.object_ids, strict=True)
    )


def state_strips(states: InteractionStates, objects: ObjectTracks) -> list[Strip]:
    """One band per object: its state where that is valid, unknown elsewhere."""
    codes = np.where(states.valid, states.state, InteractionState.UNKNOWN)
    unknown = (int(InteractionState.UNKNOWN),)
    return [
        Strip(name, codes[:, k], STATE_COLORS, unknown, hex_color(object_rgb(k)))
        for k, name in enumerate(object_labels(objects))
    ]


def strip_payload(strip: Strip) -> dict[str, Any]:
    """As `assets/charts.js` reads it."""
    return {
        "name": strip.name,
        "values": packed(strip.codes, "uint8"),
        "colors": list(strip.colors),
        "hatched": list(strip.hatched),
        "swatch": strip.swatch,
    }
