"""Still things that a manipulated object comes to: the mug that is poured into, the board that is cut on.

They are looked for as regions that stand out from what is around them, in the scene without hands, near the path of a
manipulated object; and they must stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.perception.discover.candidates import Candidate
from reenact.perception.discover.empty import EmptyScene
from reenact.perception.discover.trial import Trial, TrialCourt
from reenact.perception.masks.seed import filled, outline_of
from reenact.perception.pictures.stack import PictureStack

if TYPE_CHECKING:
    from reenact.perception.discover.automatic import Believed


@dataclass(frozen=True)
class TargetConfig:
    """Lengths are parts of the manipulated object's size (root of its area) unless said otherwise."""

    min_area: float = 0.0012
    """Smallest region, part of the frame."""
    max_area: float = 0.12
    """Largest."""
    stands_out: float = 14.0
    """Distance in CIE L*a*b* (8-bit scale) from the surroundings."""
    near: float = 0.35
    """The manipulated object must come this close, outline to outline."""
    approach: float = 0.5
    """And at least this much closer than it was at some time before."""
    min_near_s: float = 0.15
    """And stay that close for this long in all."""
    max_tries: int = 3
    """Regions followed through the clip at most."""
    cut_off: float = 0.15
    """A region with more of its outline than this along the picture's side is background."""
    min_shown: float = 0.6
    """In at least this share of the looks a target is seen or known to be behind a hand."""
    max_travel: float = 0.05
    """A target's centre stays within this, frame heights."""


def find_targets(
    stack: PictureStack, believed: list[Believed], court: TrialCourt, empty: EmptyScene,
    config: TargetConfig, log: list[dict[str, Any]],
) -> list[Believed]:  # fmt: skip
    """Targets of the objects found so far, largest first; ``log`` gets a row for each region that was looked at."""
    from reenact.perception.discover.automatic import Believed

    frame = _quiet_frame(court)
    taken = court.regions.reach(frame, 0.1) | court.regions.wedge(frame)
    look = int(np.abs(court.looks - frame).argmin())
    for other in believed:
        taken |= cv2.dilate(other.trial.mask(look).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        taken |= _rests(other.trial)
    tries, found = 0, []
    for region in distinct_regions(empty.picture, taken, config):
        if tries == config.max_tries:
            break
        verdict = ""
        if not any(_comes_to(region, other.trial, stack, config) for other in believed):
            verdict = "no moved object comes to it"
        elif _like_a_shadow(empty.picture, region):
            verdict = "it is a shadow"
        candidate = Candidate(frame, region, 0.5, "colour", "It stands out from what is around it.")
        if not verdict:
            tries += 1
            trial = court.try_candidate(candidate)
            verdict = _unsteady(trial, config)
        if not verdict:
            sure = float(np.median(trial.confidence[trial.valid]))
            reason = "It stands out from what is around it, stays, and a moved object comes to it."
            confidence = float(np.clip(0.2 + 0.3 * sure, 0, 0.5))
            found.append(Believed(candidate, trial, "target", confidence, reason))
        log.append(
            {
                "frame": int(stack.frame_idx[frame]), "source": "still", "score": 0.5,
                "verdict": verdict or "believed",
            }
        )  # fmt: skip
    return found


def _unsteady(trial: Trial, config: TargetConfig) -> str:
    """Why a region that was followed is no still thing, or nothing."""
    shown = float((trial.valid | (trial.hidden > 0.5)).mean())
    if not trial.valid.any() or shown < config.min_shown:
        return f"it is followed in {shown:.0%} of the looks only"
    return f"it moves {trial.travel:.3f} frame heights" if trial.travel > config.max_travel else ""


def distinct_regions(
    picture: UInt8[np.ndarray, "h w 3"], taken: Bool[np.ndarray, "h w"], config: TargetConfig
) -> list[Bool[np.ndarray, "h w"]]:
    """Regions whose colour differs from the median of their surroundings, largest first."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    size = int(0.3 * picture.shape[0]) | 1
    small = cv2.resize(lab, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    around = cv2.medianBlur(small, max(3, int(size * 0.25) | 1))
    around = cv2.resize(around, (lab.shape[1], lab.shape[0]), interpolation=cv2.INTER_LINEAR)
    gap = np.linalg.norm(cv2.GaussianBlur(lab, (0, 0), 1.2).astype(np.float32) - around, axis=-1)
    mask = ((gap > config.stands_out) & ~taken).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    low, high = config.min_area * mask.size, config.max_area * mask.size
    kept = [k for k in range(1, count) if low <= stats[k, cv2.CC_STAT_AREA] <= high]
    regions = []
    for k in sorted(kept, key=lambda k: -int(stats[k, cv2.CC_STAT_AREA])):
        whole = filled(outline_of(parts == k), *mask.shape) & ~taken
        box = stats[k]
        fills = float(whole.sum()) / float(box[cv2.CC_STAT_WIDTH] * box[cv2.CC_STAT_HEIGHT])
        if fills > 0.4 and _cut_off(whole) < config.cut_off:
            regions.append(whole)
    return regions


def _cut_off(region: Bool[np.ndarray, "h w"]) -> float:
    """Share of its outline that lies on the picture's sides."""
    height, width = region.shape
    x, y = outline_of(region).T
    return float(((x < 1) | (y < 1) | (x > width - 2) | (y > height - 2)).mean()) if len(x) else 0.0


def _like_a_shadow(picture: UInt8[np.ndarray, "h w 3"], region: Bool[np.ndarray, "h w"]) -> bool:
    """Is it its surroundings with less light in all channels alike?"""
    wide = cv2.dilate(region.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    ring = wide & ~cv2.dilate(region.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    if not ring.any():
        return False
    light = (np.median(picture[region], axis=0) + 2.0) / (np.median(picture[ring], axis=0) + 2.0)
    return bool(0.2 < light.mean() < 0.9 and np.ptp(light) < 0.1)


def _quiet_frame(court: TrialCourt) -> int:
    """The look that hands cover least."""
    covered = [int((court.regions.reach(int(f), 0.1)).sum()) for f in court.looks.tolist()]
    return int(court.looks[int(np.argmin(covered))])


def _rests(trial: Trial) -> Bool[np.ndarray, "h w"]:
    """Where the object is in a quarter of the looks or more: the empty scene shows it there."""
    total = np.zeros(trial.masks.labels.shape[1:], np.int32)
    for look in range(len(trial.looks)):
        total += trial.mask(look)
    often = (total > 0.25 * len(trial.looks)).astype(np.uint8)
    return np.asarray(cv2.dilate(often, np.ones((9, 9), np.uint8)) > 0)


def _comes_to(
    region: Bool[np.ndarray, "h w"], mover: Trial, stack: PictureStack, config: TargetConfig
) -> bool:
    """Does the object of a trial come to a region?"""
    gaps, times = [], []
    areas = mover.masks.tracks.area_px[mover.looks, 0][mover.valid]
    size = (
        float(np.sqrt(np.quantile(areas, 0.8))) if len(areas) else 1.0
    )  # a hand hides some of it now and then
    gap = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 3)
    hidden = ~mover.valid & (mover.hidden > 0.5)
    for look in np.flatnonzero(mover.valid | hidden).tolist():
        mask = mover.mask(look) if mover.valid[look] else mover.hands(look)  # a hand around it stands for it
        if not mask.any():
            continue
        gaps.append(float(gap[mask].min()) / size)
        times.append(float(stack.t_ns[int(mover.looks[look])]) * 1e-9)
    return came_near(np.array(gaps), np.array(times), config)


def came_near(
    gaps: Float64[np.ndarray, " n"], times: Float64[np.ndarray, " n"], config: TargetConfig
) -> bool:
    """Was it near for long enough after it had been farther away? Leaving a thing is no coming to it.

    ``gaps``: outline to outline, sizes of the moved object; ``times``: seconds.
    """
    if len(gaps) < 3:
        return False
    came = (gaps < config.near) & (np.maximum.accumulate(gaps) - gaps > config.approach)
    return bool(came.sum() * float(np.median(np.diff(times))) >= config.min_near_s)
