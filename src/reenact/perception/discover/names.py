"""Plain names for things: the colour that most of their pixels have, and the user's labels matched to them."""

from __future__ import annotations

import colorsys

import numpy as np
from jaxtyping import UInt8

HUES = ((0.045, "red"), (0.11, "orange"), (0.19, "yellow"), (0.43, "green"), (0.53, "cyan"), (0.71, "blue"),
        (0.83, "purple"), (0.945, "pink"), (1.01, "red"))  # fmt: skip
WORDS = frozenset({"red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "black", "grey",
                   "white"})  # fmt: skip


def colour_name(pixels: UInt8[np.ndarray, "n 3"]) -> str:
    """One word for the median colour."""
    if len(pixels) == 0:
        return "grey"
    r, g, b = np.median(pixels, axis=0) / 255.0
    hue, saturation, value = colorsys.rgb_to_hsv(float(r), float(g), float(b))
    if value < 0.2:
        return "black"
    if saturation < 0.18:
        return "white" if value > 0.75 else "grey"
    word = next(name for limit, name in HUES if hue < limit)
    return "brown" if word in ("orange", "red") and value < 0.55 and saturation < 0.75 else word


def match_labels(names: list[str], colours: list[str], labels: tuple[str, ...]) -> tuple[str, ...]:
    """Labels in place of plain names: first those whose colour word fits, then the others in order."""
    result, free = list(names), list(range(len(names)))
    late = []
    for label in labels:
        wanted = WORDS & set(label.lower().split())
        fits = [k for k in free if colours[k] in wanted]
        if fits:
            result[fits[0]] = label
            free.remove(fits[0])
        else:
            late.append(label)
    for label, k in zip(late, free, strict=False):
        result[k] = label
    return tuple(result)
