"""Why a region may be no object after all: it is skin, it lies where an arm is, or it is a shadow on what lies behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from reenact.perception.discover.empty import EmptyScene
from reenact.perception.discover.trial import Trial
from reenact.perception.masks.seed import convex_hull, filled
from reenact.perception.pictures.colour import colour_bins, histogram, similarity
from reenact.perception.pictures.hands import HandRegions
from reenact.perception.pictures.stack import PictureStack


@dataclass(frozen=True)
class SuspectConfig:
    """Shares are of the region's pixels."""

    skin: float = 0.45
    """More than this of skin colour: a part of a hand or arm."""
    behind: float = 0.4
    """More than this behind a wrist: a sleeve."""
    sleeve: float = 2.0
    """Over the whole clip arms are taken this much longer than in one picture: sleeves that come in at the side."""
    shadow_light: tuple[float, float] = (0.2, 0.92)
    """A shadow leaves this part of the light of the empty scene."""
    shadow_tint: float = 0.1
    """And dims the three channels alike, to this relative difference."""
    shadow_print: float = 0.6
    """And lets the pattern behind show: correlation with the empty scene, where that has a pattern."""
    min_different: float = 0.35
    """In some look at least this share of its pixels must differ from the empty scene, if that is known."""
    between_fingers: float = 0.6
    """Mostly more than this within the hull of a hand's landmarks, and seen only now and then: what shows between the
    fingers, no thing of its own."""
    now_and_then: float = 0.5
    """Share of the looks below which it is seen now and then."""
    alike: float = 0.8
    """A region whose colours are this similar (Bhattacharyya) to those around it does not stand out."""
    pattern: float = 0.04
    """Relative spread of light from which on a surface has a pattern."""


def why_no_object(
    stack: PictureStack, regions: HandRegions, frame: int, mask: Bool[np.ndarray, "h w"],
    empty: EmptyScene | None, config: SuspectConfig,
) -> str:  # fmt: skip
    """The reason in words, or nothing. ``empty``: the empty scene of a still camera."""
    if not mask.any():
        return "it has no pixels"
    if float(regions.skin_like(frame)[mask].mean()) > config.skin:
        return "it has the colour of skin"
    if float(regions.wedge(frame)[mask].mean()) > config.behind:
        return "it lies where the arm is"
    if empty is not None and is_shadow(stack.rgb[frame][mask], empty.picture[mask], config):
        return "it is a shadow"
    return ""


def doubts(
    stack: PictureStack, regions: HandRegions, trial: Trial, empty: EmptyScene | None,
    config: SuspectConfig,
) -> str:  # fmt: skip
    """The same questions to a candidate that was followed: at its best look, and over all looks."""
    best = trial.best_look()
    frame, mask = int(trial.looks[best]), trial.mask(best)
    why = why_no_object(stack, regions, frame, mask, empty, config)
    if why:
        return why
    around = trial.around(best)
    bins = colour_bins(stack.rgb[frame])
    if around.any() and similarity(histogram(bins[mask]), histogram(bins[around])) > config.alike:
        return "it does not stand out from what is around it"
    at = np.flatnonzero(trial.valid)
    at = at[np.unique(np.linspace(0, len(at) - 1, 24).astype(int))].tolist()
    frames = [int(trial.looks[k]) for k in at]
    masks = [trial.mask(k) for k in at]
    behind = [
        float(regions.wedge(f, config.sleeve)[m].mean())
        for f, m in zip(frames, masks, strict=True)
        if m.any()
    ]
    if float(np.median(behind)) > config.behind:
        return "most of the time it lies where the arm is"
    inside = [_inside_hand(regions, f, m) for f, m in zip(frames, masks, strict=True) if m.any()]
    if float(np.median(inside)) > config.between_fingers and float(trial.valid.mean()) < config.now_and_then:
        return "it only shows between the fingers"
    if empty is None:
        return ""
    differs = [float(empty.differs(f)[m].mean()) for f, m in zip(frames, masks, strict=True) if m.any()]
    if max(differs) < config.min_different:
        return "it never differs from the empty scene"
    shadows = [
        is_shadow(stack.rgb[f][m], empty.picture[m], config)
        for f, m in zip(frames, masks, strict=True)
        if m.any()
    ]
    return "most of the time it is a shadow" if float(np.mean(shadows)) > 0.5 else ""


def _inside_hand(regions: HandRegions, frame: int, mask: Bool[np.ndarray, "h w"]) -> float:
    """Share of a region within the convex hull of a hand's landmarks; the larger of the two hands'."""
    shares = [0.0]
    for side in (0, 1):
        if regions.valid[frame, side]:
            hull = filled(convex_hull(regions.points[frame, side]), *mask.shape)
            shares.append(float((mask & hull).sum()) / float(mask.sum()))
    return max(shares)


def is_shadow(now: UInt8[np.ndarray, "n 3"], before: UInt8[np.ndarray, "n 3"], config: SuspectConfig) -> bool:
    """Do these pixels show the same surface with less light?"""
    a, b = now.astype(np.float64) + 2.0, before.astype(np.float64) + 2.0
    light = np.median(a / b, axis=0)
    low, high = config.shadow_light
    if not low < float(light.mean()) < high:
        return False
    if float(np.ptp(light)) > config.shadow_tint:
        return False
    grey_a, grey_b = a.mean(axis=1), b.mean(axis=1)
    spread = float(grey_b.std() / grey_b.mean())
    if spread < config.pattern or len(grey_a) < 20:
        return float(grey_a.std() / grey_a.mean()) < 0.08
    return float(np.corrcoef(np.log(grey_a), np.log(grey_b))[0, 1]) > config.shadow_print
