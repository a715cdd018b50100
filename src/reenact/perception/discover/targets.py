"""Still things that a manipulated object comes to: the mug that is poured into, the board that is cut on.

They are looked for as regions that stand out from what is around them, in the scene without hands, near the path of a
manipulated object; and they must stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from reenact.perception.discover.candidates import Candidate
from reenact.perception.discover.empty import EmptyScene
from reenact.perception.discover.trial import Trial, TrialCourt
from reenact.perception.masks.seed import filled, outline_of
from reenact.perception.pictures.hands import HandRegions
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
    """And at least this much closer than it was at first."""
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
    stack: PictureStack, regions: HandRegions, believed: list[Believed], court: TrialCourt,
    empty: EmptyScene | None, config: TargetConfig,
) -> list[Believed]:  # fmt: skip
    """Targets of the objects found so far, nearest first."""
    from reenact.perception.discover.automatic import Believed

    is_still = empty is not None
    frame = _quiet_frame(regions, court)
    picture = stack.rgb[frame] if empty is None else empty.picture
    taken = regions.reach(frame, 0.1) | regions.wedge(frame)
    look = int(np.abs(court.looks - frame).argmin())
    for other in believed:
        taken |= cv2.dilate(other.trial.mask(look).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        if is_still:
            taken |= _rests(other.trial)
    tries, found = 0, []
    for region in distinct_regions(picture, taken, config):
        if tries == config.max_tries:
            break
        near = [
            _nearness(region, other.trial, stack, config) for other in believed if other.role == "manipulated"
        ]
        if is_still and not any(near):
            continue
        if _like_a_shadow(picture, region):
            continue
        tries += 1
        candidate = Candidate(frame, region, 0.5, "colour", "It stands out from what is around it.")
        trial = court.try_candidate(candidate)
        shown = trial.valid | (trial.hidden > 0.5)
        if (
            not trial.valid.any()
            or trial.travel > config.max_travel
            or float(shown.mean()) < config.min_shown
        ):
            continue
        if not is_still:
            near = [
                _nearness(None, other.trial, stack, config, trial)
                for other in believed
                if other.role == "manipulated"
            ]
        if not any(near):
            continue
        sure = float(np.median(trial.confidence[trial.valid]))
        reason = "It stands out from what is around it, stays, and a moved object comes to it."
        found.append(Believed(candidate, trial, "target", float(np.clip(0.2 + 0.3 * sure, 0, 0.5)), reason))
    return found


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


def _quiet_frame(regions: HandRegions, court: TrialCourt) -> int:
    """The look that hands cover least."""
    covered = [int((regions.reach(int(f), 0.1)).sum()) for f in court.looks.tolist()]
    return int(court.looks[int(np.argmin(covered))])


def _rests(trial: Trial) -> Bool[np.ndarray, "h w"]:
    """Where the object is in a quarter of the looks or more: the empty scene shows it there."""
    total = np.zeros(trial.masks.labels.shape[1:], np.int32)
    for look in range(len(trial.looks)):
        total += trial.mask(look)
    often = (total > 0.25 * len(trial.looks)).astype(np.uint8)
    return np.asarray(cv2.dilate(often, np.ones((9, 9), np.uint8)) > 0)


def _nearness(
    region: Bool[np.ndarray, "h w"] | None, mover: Trial, stack: PictureStack, config: TargetConfig,
    own: Trial | None = None,
) -> bool:  # fmt: skip
    """Does the object of a trial come to a region (fixed, or followed by a trial of its own)?"""
    gaps, times = [], []
    areas = mover.masks.tracks.area_px[mover.looks, 0][mover.valid]
    size = (
        float(np.sqrt(np.quantile(areas, 0.8))) if len(areas) else 1.0
    )  # a hand hides some of it now and then
    field = None
    if region is not None:
        field = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 3)
    hidden = ~mover.valid & (mover.hidden > 0.5)
    for look in np.flatnonzero(mover.valid | hidden).tolist():
        here = field
        if own is not None:
            if not own.valid[look]:
                continue
            here = cv2.distanceTransform((~own.mask(look)).astype(np.uint8), cv2.DIST_L2, 3)
        mask = mover.mask(look) if mover.valid[look] else mover.hands(look)  # a hand around it stands for it
        if not mask.any():
            continue
        assert here is not None
        gaps.append(float(here[mask].min()) / size)
        times.append(float(stack.t_ns[int(mover.looks[look])]) * 1e-9)
    if len(gaps) < 3:
        return False
    step = float(np.median(np.diff(times)))
    away = max(np.median(gaps[:3]), np.max(gaps))
    close = np.array(gaps) < config.near
    return bool(close.sum() * step >= config.min_near_s and away - min(gaps) > config.approach)
