"""The CPU backend: what the user pointed at, else what hands move; then what the moved things come to.

Candidates come from lasting changes (`footprints`) and from motion with a hand (`comotion`); each is followed through the
clip (`trial`) before it is believed, and dropped as a repeat when an object already found explains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reenact.perception.discover.candidates import Candidate
from reenact.perception.discover.comotion import ComotionConfig, held_things
from reenact.perception.discover.contract import Frame
from reenact.perception.discover.empty import EmptyConfig, EmptyScene
from reenact.perception.discover.evidence import EvidenceConfig, evidence_of
from reenact.perception.discover.footprints import FootprintConfig, footprints
from reenact.perception.discover.hinted import from_hints
from reenact.perception.discover.hints import ObjectBox, ObjectClick
from reenact.perception.discover.names import colour_name, match_labels
from reenact.perception.discover.repeats import known_already, same_thing
from reenact.perception.discover.suspects import SuspectConfig, doubts, why_no_object
from reenact.perception.discover.targets import TargetConfig, find_targets
from reenact.perception.discover.trial import Trial, TrialConfig, TrialCourt, every_for
from reenact.perception.discover.twins import CLEAR, twins_of
from reenact.perception.masks.seed import box_of, outline_of
from reenact.perception.masks.views import Views
from reenact.perception.pictures.hands import HandRegionConfig, HandRegions
from reenact.perception.pictures.stack import PictureStack, StackConfig, read_stack
from reenact.scene import CameraTrack, Clip, FoundObjects, HandLandmarks


@dataclass(frozen=True)
class AutomaticFinderConfig:
    """Settings of the CPU finder."""

    boxes: tuple[ObjectBox, ...] = ()
    """Boxes given by the user; with boxes or clicks nothing is looked for automatically."""
    clicks: tuple[ObjectClick, ...] = ()
    """Clicks given by the user."""
    labels: tuple[str, ...] = ()
    """Names for what is found automatically; one with a colour word goes to the object of that colour."""
    max_manipulated: int = 4
    """Most manipulated objects that are reported."""
    max_targets: int = 2
    """Most still things reported that the manipulated ones come to."""
    max_trials: int = 7
    """Candidates that are followed through the clip at most."""
    stack: StackConfig = field(default_factory=lambda: StackConfig(width_px=384))
    """How small the frames are looked at."""
    hands: HandRegionConfig = field(default_factory=HandRegionConfig)
    """Pixels of hands and arms."""
    empty: EmptyConfig = field(default_factory=EmptyConfig)
    """The scene without hands before a still camera."""
    footprints: FootprintConfig = field(default_factory=FootprintConfig)
    """Lasting changes before a still camera."""
    comotion: ComotionConfig = field(default_factory=ComotionConfig)
    """What moves with a hand."""
    trial: TrialConfig = field(default_factory=TrialConfig)
    """What a candidate must show."""
    suspects: SuspectConfig = field(default_factory=SuspectConfig)
    """What is no object."""
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    """What a candidate must show besides where there is no empty scene to compare with."""
    min_score: float = 0.25
    """Candidates with weaker evidence are not tried."""
    targets: TargetConfig = field(default_factory=TargetConfig)
    """Still things."""


@dataclass(frozen=True)
class Believed:
    """A candidate that passed."""

    candidate: Candidate
    trial: Trial
    role: str
    confidence: float
    reason: str


class AutomaticFinder:
    """Finds manipulated objects and their targets."""

    name = "automatic-1"
    licence = "Apache-2.0"

    def __init__(self, config: AutomaticFinderConfig | None = None) -> None:
        self.config = config or AutomaticFinderConfig()
        self._diagnostics: dict[str, Any] = {}

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Every candidate with its verdict, and a sentence when nothing was found."""
        return self._diagnostics

    def find(
        self, frames: Iterable[Frame], clip: Clip, landmarks: HandLandmarks, camera: CameraTrack | None = None
    ) -> FoundObjects:
        """See the contract. Without a camera track the camera is taken as moving."""
        c = self.config
        for box in c.boxes:
            box.check(len(clip.t_ns), clip.width_px, clip.height_px)
        for click in c.clicks:
            click.check(len(clip.t_ns), clip.width_px, clip.height_px)
        by_user = bool(c.boxes or c.clicks)
        every = 1 if by_user else every_for(clip.t_ns, c.trial.rate_hz)
        stack = read_stack(frames, clip, c.stack, every)
        regions = HandRegions(stack, landmarks, c.hands)
        is_still = camera is not None and camera.motion == "still"
        if by_user:
            found = from_hints(stack, regions, c.boxes, c.clicks, self.name, self.licence)
            self._diagnostics = {"mode": "user", "objects": len(found.object_ids)}
            return found
        return self._search(stack, regions, is_still)

    def _search(self, stack: PictureStack, regions: HandRegions, is_still: bool) -> FoundObjects:
        c = self.config
        views = Views(stack, regions, keep=True)
        empty = EmptyScene(views, c.empty) if is_still else None
        candidates = footprints(empty, c.footprints) if empty is not None else []
        candidates += held_things(views, empty, c.comotion)
        candidates = sorted((x for x in candidates if x.score >= c.min_score), key=lambda x: -x.score)
        is_bare = empty is None or empty.known < c.empty.min_known
        court = TrialCourt(views, is_still_camera=is_still, config=c.trial)
        log: list[dict[str, Any]] = []
        believed: list[Believed] = []
        tried = 0
        while candidates and tried < c.max_trials and len(believed) < c.max_manipulated:
            candidate = candidates.pop(0)
            verdict: Believed | str = ""
            if candidate.source != "colour":
                verdict = why_no_object(stack, regions, candidate.frame, candidate.mask, empty, c.suspects)
            if not verdict:
                verdict = next(filter(None, (known_already(candidate, b.trial, views) for b in believed)), "")
            if not verdict:
                tried += 1
                verdict = self._verdict(candidate, court, believed, views, empty, is_bare)
            log.append(_entry(candidate, stack, verdict if isinstance(verdict, str) else "believed"))
            if isinstance(verdict, Believed):
                believed.append(verdict)
                if candidate.source != "colour":
                    candidates = twins_of(verdict.trial, views) + candidates
        believed.sort(key=lambda b: -b.confidence)
        self._diagnostics = {"mode": "automatic", "still_camera": is_still, "candidates": log}
        if is_bare or empty is None:
            self._diagnostics["no_targets"] = "Still things are not told from scenery without an empty scene."
        elif believed:
            believed += find_targets(stack, believed, court, empty, c.targets, log)[: c.max_targets]
        if not believed:
            self._diagnostics["why_none"] = _why_none(candidates, regions)
        return _record(believed, stack, c.labels, self.name, self.licence)

    def _verdict(
        self, candidate: Candidate, court: TrialCourt, believed: list[Believed], views: Views,
        empty: EmptyScene | None, is_bare: bool,
    ) -> Believed | str:  # fmt: skip
        trial, c, stack = court.try_candidate(candidate), self.config.trial, views.stack
        if not trial.valid.any() or trial.seen < c.min_seen or trial.valid.mean() < c.min_share:
            return (
                f"could be followed in {trial.seen:.0%} of the looks from first to last sight, "
                f"{trial.valid.mean():.0%} of all, only"
            )
        if trial.seed_trust < c.min_trust:
            return f"its cut is trusted {trial.seed_trust:.2f} only"
        if candidate.source == "colour" and trial.seed_trust < CLEAR:
            return "it cannot be cut out"
        sure = float(np.median(trial.confidence[trial.valid]))
        if sure < c.min_confidence:
            return f"could be followed with confidence {sure:.2f} only"
        if trial.travel < c.min_travel:
            return f"moved {trial.travel:.3f} frame heights only"
        if trial.hand_share < c.min_hand_share:
            return f"only {trial.hand_share:.0%} of its motion was with a hand at it"
        if any(same_thing(trial, other.trial, stack) for other in believed):
            return "it turned out to be an object found before"
        is_twin = candidate.source == "colour"
        why = "" if is_twin else doubts(stack, views.regions, trial, empty, self.config.suspects)
        if not why and is_bare:
            why = evidence_of(trial, court, views, self.config.evidence).lacks(trial, self.config.evidence)
        if why:
            return why
        confidence = float(
            np.clip(0.25 + 0.35 * candidate.score + 0.3 * sure * trial.seen + 0.1 * trial.hand_share, 0, 0.97)
        )
        if is_bare:
            confidence *= self.config.evidence.discount
        way = f"It travels {trial.travel:.2f} frame heights, {trial.hand_share:.0%} of it with a hand at it."
        return Believed(candidate, trial, "manipulated", confidence, f"{candidate.reason} {way}")


def _entry(candidate: Candidate, stack: PictureStack, verdict: str) -> dict[str, Any]:
    """A row of the diagnostics."""
    frame = int(stack.frame_idx[candidate.frame])
    return {
        "frame": frame, "source": candidate.source, "score": round(candidate.score, 3), "verdict": verdict,
    }  # fmt: skip


def _why_none(candidates: list[Candidate], regions: HandRegions) -> str:
    if not regions.valid.any():
        return "No hand was found, so nothing could be told to be moved by one."
    if not candidates:
        return "Nothing changed for good and nothing moved with a hand."
    return f"None of {len(candidates)} candidates could be followed, moved enough and moved with a hand."


def _record(
    believed: list[Believed], stack: PictureStack, labels: tuple[str, ...], name: str, licence: str
) -> FoundObjects:
    frames, boxes, outlines, words = [], [], [], []
    for b in believed:
        look = b.trial.best_look()
        mask, frame = b.trial.mask(look), int(b.trial.looks[look])
        frames.append(int(stack.frame_idx[frame]))
        boxes.append(stack.box_to_full(box_of(mask)))
        outlines.append(stack.to_full(outline_of(mask)))
        words.append(colour_name(stack.rgb[frame][mask]))
    names = match_labels([f"{word} object" for word in words], words, labels)
    return FoundObjects(
        object_ids=tuple(f"object_{k}" for k in range(len(believed))), names=names,
        roles=tuple(b.role for b in believed), seed_frame=np.array(frames, np.int64),
        seed_box_px=np.array(boxes, np.float64).reshape(-1, 4),
        confidence=np.array([b.confidence for b in believed], np.float64),
        sources=tuple(b.candidate.source for b in believed), reasons=tuple(b.reason for b in believed),
        backend=name, licence=licence,
        outline_px=np.concatenate(outlines) if outlines else np.zeros((0, 2)),
        outline_start=np.cumsum([0] + [len(o) for o in outlines]).astype(np.int64),
    )  # fmt: skip
