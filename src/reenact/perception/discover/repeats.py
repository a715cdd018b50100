"""Is a candidate an object that was found already? Before its trial by place and looks, after it by where it was."""

from __future__ import annotations

import numpy as np

from reenact.perception.discover.candidates import Candidate
from reenact.perception.discover.trial import Trial
from reenact.perception.masks.crowd import RivalConfig
from reenact.perception.masks.views import Views
from reenact.perception.pictures.colour import colour_bins, histogram, similarity
from reenact.perception.pictures.stack import PictureStack


def known_already(candidate: Candidate, trial: Trial, views: Views) -> str:
    """Is the candidate where the object of that trial is at that time, or might it be that object?"""
    look = int(np.abs(trial.looks - candidate.frame).argmin())
    if trial.valid[look]:
        mask = trial.mask(look)
        both = float((mask & candidate.mask).sum())
        repeats = both > 0.35 * float(candidate.mask.sum()) or both > 0.6 * float(mask.sum())
        return "a repeat of an object found before" if repeats else ""
    if trial.has_twin:
        best = trial.best_look()
        ours = histogram(views.bins(candidate.frame)[candidate.mask])
        theirs = histogram(views.bins(int(trial.looks[best]))[trial.mask(best)])
        if similarity(ours, theirs) > RivalConfig().alike:
            return "it looks like an object found before that is not known at that time"
    return ""


def same_thing(trial: Trial, other: Trial, stack: PictureStack) -> bool:
    """Two trials: on top of each other where both are seen; where never, alike in colour and size, or of equal things."""
    common = np.flatnonzero(trial.valid & other.valid)
    if len(common) >= 3:
        shared = [
            float((a & b).sum()) / max(min(float(a.sum()), float(b.sum())), 1.0)
            for a, b in (
                (trial.mask(k), other.mask(k)) for k in common[:: max(1, len(common) // 20)].tolist()
            )
        ]
        return float(np.mean(np.array(shared) > 0.3)) > 0.5
    if trial.has_twin and other.has_twin:
        return True  # never seen side by side: who knows
    a, b = trial.best_look(), other.best_look()
    ratio = float(trial.mask(a).sum()) / max(float(other.mask(b).sum()), 1.0)
    ours = histogram(colour_bins(stack.rgb[int(trial.looks[a])])[trial.mask(a)])
    theirs = histogram(colour_bins(stack.rgb[int(other.looks[b])])[other.mask(b)])
    return 0.2 < ratio < 5.0 and similarity(ours, theirs) > 0.7
