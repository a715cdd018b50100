"""A candidate on trial: followed through the clip at about 10 Hz, to see whether it moves, and whether hands move it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.perception.discover.candidates import Candidate
from reenact.perception.masks.backdrop import BackdropConfig
from reenact.perception.masks.classical import ClassicalMasks, ClassicalMasksConfig
from reenact.perception.masks.contract import ObjectMasks
from reenact.perception.masks.seed import box_of, outline_of
from reenact.perception.masks.views import Views
from reenact.perception.pictures.flow import background_homography
from reenact.scene import FoundObjects, MaskLabel


@dataclass(frozen=True)
class TrialConfig:
    """Lengths are frame heights, unless said otherwise."""

    rate_hz: float = 10.0
    """Frames a second that are looked at."""
    min_seen: float = 0.3
    """Share of the looks from the first to the last sight of it in which it must be followed."""
    min_share: float = 0.12
    """Share of all looks in which it must be followed."""
    min_trust: float = 0.45
    """Trust in the cut at its seed."""
    min_travel: float = 0.05
    """How far its centre must get from where it was, against the background."""
    min_confidence: float = 0.3
    """Median confidence of its masks."""
    near: float = 0.6
    """A hand this close to its outline (palms) is at it."""
    min_hand_share: float = 0.6
    """Part of its motion that must happen with a hand at it."""
    by_flow: float = 0.2
    """Before a still camera its pixels must move by this part of the way that the middle of its box goes."""
    moving_step: float = 0.06
    """Speed (frame heights per second) below which it rests."""


@dataclass(frozen=True)
class Trial:
    """What became of it; rows are looks."""

    looks: Int64[np.ndarray, " n"]
    """Frames looked at."""
    masks: ObjectMasks
    valid: Bool[np.ndarray, " n"]
    confidence: Float64[np.ndarray, " n"]
    hidden: Float64[np.ndarray, " n"]
    path: Float64[np.ndarray, "n 2"]
    """Centre of its box against the background, frame heights, summed up from steps between sights."""
    travel: float
    hand_share: float
    """Part of the motion with a hand at it; 1 when it does not move."""
    seen: float
    seed_trust: float
    """Trust in the cut that it started from; below 1 where the cut failed."""
    has_twin: bool
    """Something else looks like it."""

    def mask(self, look: int) -> Bool[np.ndarray, "h w"]:
        """Its pixels in one look."""
        return np.asarray(self.masks.labels[int(self.looks[look])] == MaskLabel.FIRST_OBJECT)

    def hands(self, look: int) -> Bool[np.ndarray, "h w"]:
        """Pixels of hands in one look."""
        labels = self.masks.labels[int(self.looks[look])]
        return np.asarray((labels == MaskLabel.HAND_LEFT) | (labels == MaskLabel.HAND_RIGHT))

    def around(self, look: int) -> Bool[np.ndarray, "h w"]:
        """A belt around it, hands left out."""
        mask = self.mask(look).astype(np.uint8)
        size = max(7, int(0.6 * np.sqrt(mask.sum())) | 1)
        belt = cv2.dilate(mask, np.ones((size, size), np.uint8)) > 0
        near = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0
        return np.asarray(belt & ~near & (self.masks.labels[int(self.looks[look])] == 0))

    def best_look(self) -> int:
        """The look that shows it best: surely, whole, and not smaller than usual."""
        area = self.masks.tracks.area_px[self.looks, 0]
        usual = max(float(np.median(area[self.valid])), 1.0)
        worth = self.confidence * (1 - self.hidden) ** 2 * np.clip(area / usual, 0, 1.15) * self.valid
        return int(worth.argmax())


def every_for(t_ns: np.ndarray, rate_hz: float) -> int:
    """Take every n-th frame to look about that often."""
    step = float(np.median(np.diff(t_ns))) * 1e-9 if len(t_ns) > 1 else 1.0
    return max(1, int(1.0 / (rate_hz * max(step, 1e-3)) + 0.25))


class TrialCourt:
    """Tries candidates over the same views; the background's motion is measured once."""

    def __init__(self, views: Views, *, is_still_camera: bool, config: TrialConfig) -> None:
        self.config, self._views, self._is_still = config, views, is_still_camera
        self.looks = np.array(views.frames, np.int64)
        self.regions = views.regions
        # a trial must be able to fail: what lies behind is not taken into account, or any patch of it stays followed
        self._masks = ClassicalMasks(ClassicalMasksConfig(backdrop=BackdropConfig(same=0.0, shaded=0.0)))
        self._rest = [np.eye(3)] * len(self.looks) if is_still_camera else self._background()

    def try_candidate(self, candidate: Candidate) -> Trial:
        """Follow it from its frame both ways."""
        result = self._masks.segment_stack(
            self._views.stack, self._views.regions, self._as_found(candidate), self._views
        )
        return self._judged(result)

    def homography(self, look: int, to: int) -> Float64[np.ndarray, "3 3"]:
        """The background's way from one look to another, in small pixels."""
        H = np.eye(3)
        for i in range(min(look, to) + 1, max(look, to) + 1):
            H = self._rest[i] @ H
        return H if to >= look else np.asarray(np.linalg.inv(H))

    def _judged(self, result: ObjectMasks) -> Trial:
        looks, tracks = self.looks, result.tracks
        valid, hidden = tracks.valid[looks, 0], tracks.occluded_share[looks, 0]
        centre = np.zeros((len(looks), 2))
        for k in np.flatnonzero(valid).tolist():
            box = box_of(result.labels[int(looks[k])] == MaskLabel.FIRST_OBJECT)
            centre[k] = 0.5 * (box[:2] + box[2:])
        path, moved, at_hand = self._path(result, valid, hidden, centre)
        travel = float(np.linalg.norm(path - path[:, None], axis=-1)[np.ix_(valid, valid)].max(initial=0.0))
        total = float(moved.sum())
        sights = np.flatnonzero(valid)
        span = sights[-1] - sights[0] + 1 if len(sights) else 1
        return Trial(
            looks=looks, masks=result, valid=valid, confidence=tracks.confidence[looks, 0], hidden=hidden,
            path=path, travel=travel, hand_share=float(moved[at_hand].sum()) / total if total > 0 else 1.0,
            seen=float(len(sights)) / span,
            seed_trust=float(self._masks.diagnostics["objects"][0]["seed_trust"]),
            has_twin=bool(np.isfinite(self._masks.twin_gap[looks, 0]).any()),
        )  # fmt: skip

    def _path(
        self, result: ObjectMasks, valid: np.ndarray, hidden: np.ndarray, centre: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Path against the background, and per step how far it moved and whether a hand was at it."""
        height = self._views.stack.height_px
        t = self._views.stack.t_ns[self.looks] * 1e-9
        area = result.tracks.area_px[self.looks, 0]
        path, moved, at_hand = np.zeros_like(centre), np.zeros(len(t)), np.zeros(len(t), bool)
        last: int | None = None
        for k in range(len(t)):
            path[k] = path[k - 1] if k else 0.0
            if not valid[k]:
                continue
            if last is not None:
                home = self.homography(last, k) @ np.array([*centre[last], 1.0])
                step = (centre[k] - home[:2] / home[2]) / height
                size = float(np.linalg.norm(step))
                partly = abs(float(hidden[k] - hidden[last])) > 0.15 or _jumps(area[k], area[last])
                if partly and size * height < 0.5 * np.sqrt(max(area[k], area[last])):
                    step = np.zeros(2)  # another part of it shows
                if (hidden[last + 1 : k] < 0.3).any():
                    step, size = np.zeros(2), 0.0  # lost and found again elsewhere: nobody saw it move
                if (
                    self._is_still
                    and k == last + 1
                    and self._flow_at(result, k, last) < self.config.by_flow * size
                ):
                    step, size = np.zeros(2), 0.0  # it is covered or uncovered, it does not move
                path[k] = path[last] + step
                if size > self.config.moving_step * float(t[k] - t[last]) and not partly:
                    moved[k] = size
                    at_hand[k] = self._hand_at(result, k) or self._hand_at(result, last)
            last = k
        return path, moved, at_hand

    def _flow_at(self, result: ObjectMasks, look: int, before: int) -> float:
        """Median motion of its pixels between two looks, frame heights."""
        frame = int(self.looks[look])
        mask = result.labels[frame] == MaskLabel.FIRST_OBJECT
        flow = self._views.flow(frame, int(self.looks[before]))[mask]
        return float(np.median(np.linalg.norm(flow, axis=-1))) / self._views.stack.height_px

    def _hand_at(self, result: ObjectMasks, look: int) -> bool:
        frame = int(self.looks[look])
        mask = result.labels[frame] == MaskLabel.FIRST_OBJECT
        hands = self._views.hands[frame] > 0
        regions = self._views.regions
        if not regions.valid[frame].all():  # a hand may be there that was not found: take skin for it
            hands = hands | regions.skin_like(frame)
        if not hands.any() or not mask.any():
            return not regions.valid[frame].any()  # hands not found here: nothing is known
        gap = cv2.distanceTransform((~hands).astype(np.uint8), cv2.DIST_L2, 3)
        palm = float(regions.palm_px[regions.valid].mean()) if regions.valid.any() else 1.0
        return bool(gap[mask].min() < self.config.near * palm)

    def _background(self) -> list[np.ndarray]:
        """Homography of the background from each look's predecessor to it."""
        steps = [np.eye(3)]
        for k in range(1, len(self.looks)):
            frame, before = int(self.looks[k]), int(self.looks[k - 1])
            usable = (self._views.hands[frame] == 0) & ~self._views.regions.wedge(frame)
            back = background_homography(self._views.flow(frame, before), usable)
            steps.append(np.linalg.inv(back))
        return steps

    def _as_found(self, candidate: Candidate) -> FoundObjects:
        stack = self._views.stack
        outline = stack.to_full(outline_of(candidate.mask))
        return FoundObjects(
            object_ids=("candidate",), names=("",), roles=("unknown",),
            seed_frame=stack.frame_idx[[candidate.frame]],
            seed_box_px=stack.box_to_full(box_of(candidate.mask))[None], confidence=np.ones(1),
            sources=(candidate.source,), reasons=(candidate.reason,), backend="trial", licence="",
            outline_px=outline, outline_start=np.array([0, len(outline)], np.int64),
        )  # fmt: skip


def _jumps(a: float, b: float) -> bool:
    """Do two areas differ by more than a fifth?"""
    return not 0.8 < a / max(b, 1.0) < 1.25
