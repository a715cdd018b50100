"""What speaks for a followed candidate before a moving camera, where no empty scene can be made.

Shadows of hands move with hands too. So each look is compared with looks shortly before and after, brought over by the
background's homography: what only dims the surface that they show is a shadow, what equals it is background.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.perception.discover.trial import Trial, TrialCourt
from reenact.perception.masks.views import Views
from reenact.perception.pictures.colour import colour_bins, histogram, similarity
from reenact.perception.pictures.flow import homography_flow


@dataclass(frozen=True)
class EvidenceConfig:
    """Tuned on moving toy clips of seed 5. Speeds are frame heights per second, times seconds."""

    min_speed: float = 0.05
    """Slower is not moving; it must also be more than `min_px` small pixels between two looks."""
    min_px: float = 0.8
    """Smallest motion that flow can tell."""
    slack: float = 0.5
    """A held thing's motion may differ from the hand's by this part of it."""
    apart_s: tuple[float, ...] = (0.4, 0.8, 1.2)
    """Looks this much earlier and later are compared with."""
    min_free: float = 0.25
    """Share of the pixels that such a look must show without the thing and without hands."""
    light: tuple[float, float] = (0.2, 1.12)
    """Surface in shadow or not at all changed keeps this part of its light."""
    tint: float = 0.15
    """And the three channels keep alike parts, to this difference."""
    min_with_hand_s: float = 0.3
    """It must move as a hand does, against the background, for this long in all."""
    max_explained: float = 0.5
    """Median share of its pixels that may be background or shadow."""
    max_alike: float = 0.75
    """Median similarity (Bhattacharyya) of its colours to those around it."""
    min_shown: float = 0.6
    """Share of all looks in which it must be followed or known to be hidden."""
    min_trust: float = 0.5
    """Trust in the cut at its seed."""
    min_sure: float = 0.7
    """Median confidence of its masks."""
    discount: float = 0.8
    """Confidence is this part of what it would be before a still camera: on seed 5, of 15 that passed 11 had masks with a
    Jaccard above 0.5 (0.73; all 15 above 0.25) at 0.91 without it; before a still camera 11 of 12 (0.92) at 0.88."""


@dataclass(frozen=True)
class Evidence:
    """Medians and sums over the looks of one trial."""

    with_hand_s: float
    """How long it moves as a hand does, against the background."""
    explained: float
    """Share of its pixels that other looks show as the same surface, lit alike or dimmed; 1 where nothing is known."""
    alike: float
    """Similarity of its colours to those around it."""
    shown: float
    """Share of the looks in which it is followed or hidden."""

    def lacks(self, trial: Trial, config: EvidenceConfig) -> str:
        """What is missing, in words, or nothing."""
        c = config
        sure = float(np.median(trial.confidence[trial.valid]))
        if self.with_hand_s < c.min_with_hand_s:
            return f"it moves with a hand for {self.with_hand_s:.1f} s only"
        if self.explained > c.max_explained:
            return f"{self.explained:.0%} of it may be background or shadow"
        if self.alike > c.max_alike:
            return f"its colours are {self.alike:.2f} like those around it"
        if self.shown < c.min_shown:
            return f"it is followed in {self.shown:.0%} of the clip only"
        if trial.seed_trust < c.min_trust:
            return f"its cut is trusted {trial.seed_trust:.2f} only"
        return f"could be followed with confidence {sure:.2f} only" if sure < c.min_sure else ""


def evidence_of(trial: Trial, court: TrialCourt, views: Views, config: EvidenceConfig) -> Evidence:
    """Look at a trial before a moving camera again."""
    times = views.stack.t_ns[court.looks] * 1e-9
    at = np.flatnonzero(trial.valid)
    sample = at[np.unique(np.linspace(0, len(at) - 1, 24).astype(int))].tolist()
    explained = [x for k in sample if (x := _explained(trial, court, views, k, times, config)) is not None]
    alike = [_alike(trial, views, k) for k in sample]
    moving = [
        float(times[k] - times[k - 1])
        for k in at.tolist()
        if k and trial.valid[k - 1] and _with_hand(trial, court, views, k, float(times[k] - times[k - 1]), config)
    ]  # fmt: skip
    return Evidence(
        with_hand_s=float(sum(moving)),
        explained=float(np.median(explained)) if explained else 1.0,
        alike=float(np.median(alike)),
        shown=float((trial.valid | (trial.hidden > 0.5)).mean()),
    )


def _with_hand(
    trial: Trial, court: TrialCourt, views: Views, look: int, dt: float, config: EvidenceConfig
) -> bool:
    """Does it move from the look before as one of the hands does, the background's motion taken off?"""
    frame, before = int(court.looks[look]), int(court.looks[look - 1])
    mask, hands = trial.mask(look), views.hands[frame]
    own = views.flow(frame, before) - homography_flow(court.homography(look, look - 1), *mask.shape)
    floor = max(config.min_px, config.min_speed * dt * mask.shape[0])
    mine = np.median(own[mask], axis=0)
    if not mask.any() or float(np.linalg.norm(mine)) < floor:
        return False
    for side in (1, 2):
        if int((hands == side).sum()) < 10:
            continue
        motion = np.median(own[hands == side], axis=0)
        size = float(np.linalg.norm(motion))
        if size > floor and float(np.linalg.norm(motion - mine)) < config.slack * size + 0.5:
            return True
    return False


def _explained(
    trial: Trial, court: TrialCourt, views: Views, look: int, times: Float64[np.ndarray, " n"],
    config: EvidenceConfig,
) -> float | None:  # fmt: skip
    """Largest share of its free pixels that a look before or after explains; None where no look shows enough of them."""
    mask = trial.mask(look)
    now = views.stack.rgb[int(court.looks[look])]
    shares = []
    for apart in (*(-s for s in config.apart_s), *config.apart_s):
        other = int(np.abs(times - (times[look] + apart)).argmin())
        if abs(float(times[other] - times[look])) < 0.5 * abs(apart):
            continue
        H = court.homography(other, look)
        size = (mask.shape[1], mask.shape[0])
        taken = (views.hands[int(court.looks[other])] > 0) | trial.mask(other)
        taken = cv2.dilate(taken.astype(np.uint8), np.ones((5, 5), np.uint8))
        taken = cv2.warpPerspective(taken, H, size, flags=cv2.INTER_NEAREST, borderValue=1) > 0
        free = mask & ~taken
        if float(free.sum()) < max(12.0, config.min_free * float(mask.sum())):
            continue
        then = cv2.warpPerspective(views.stack.rgb[int(court.looks[other])], H, size)
        shares.append(float(_same_surface(now, np.asarray(then, np.uint8), config)[free].mean()))
    return max(shares) if shares else None


def _same_surface(
    now: UInt8[np.ndarray, "h w 3"], then: UInt8[np.ndarray, "h w 3"], config: EvidenceConfig
) -> Bool[np.ndarray, "h w"]:
    """Pixels that show the same surface with as much light or less."""
    a = cv2.blur(now, (5, 5)).astype(np.float64) + 4.0
    b = cv2.blur(then, (5, 5)).astype(np.float64) + 4.0
    light = a / b
    mean = light.mean(axis=-1)
    return np.asarray(
        (mean > config.light[0]) & (mean < config.light[1]) & (np.ptp(light, axis=-1) < config.tint)
    )


def _alike(trial: Trial, views: Views, look: int) -> float:
    """Similarity of its colours to those around it."""
    mask, around = trial.mask(look), trial.around(look)
    if not around.any() or not mask.any():
        return 1.0
    bins = colour_bins(views.stack.rgb[int(trial.looks[look])])
    return similarity(histogram(bins[mask]), histogram(bins[around]))
