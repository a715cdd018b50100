"""Look-alikes of an object that was found: equal cups, blocks of one set. Each may be moved as well."""

from __future__ import annotations

import numpy as np

from reenact.perception.discover.candidates import Candidate
from reenact.perception.discover.trial import Trial
from reenact.perception.masks.crowd import RivalConfig, look_alikes, touch
from reenact.perception.masks.views import Views
from reenact.perception.pictures.colour import histogram

MOST = 3
"""Look-alikes of one object that are tried."""


CLEAR = 0.5
"""Trust in the object's own cut below which nothing is compared with it."""
LOOKS = 24
"""Looks in which they are sought."""
BEHIND = 0.2
"""Most of a region's pixels that may lie behind a wrist, where arms are."""


def twins_of(trial: Trial, views: Views) -> list[Candidate]:
    """Regions like the object in the look that shows most of them (of those in which it is surely seen)."""
    if not trial.has_twin or trial.seed_trust < CLEAR:
        return []
    config, best = RivalConfig(), trial.best_look()
    seed = trial.mask(best)
    model = histogram(views.bins(int(trial.looks[best]))[seed])
    sure = np.flatnonzero(trial.valid & (trial.hidden < 0.2))
    found: list[np.ndarray] = []
    frame = -1
    if len(sure) == 0:
        return []
    for look in sure[np.unique(np.linspace(0, len(sure) - 1, LOOKS).astype(int))].tolist():
        at = int(trial.looks[look])
        free = (views.hands[at] == 0) & ~trial.mask(look)
        behind = views.regions.wedge(at)
        here = look_alikes(views.bins(at), free, model, float(seed.sum()), config)
        here = [
            region
            for region in here
            if float(behind[region].mean()) < BEHIND and not touch(region, trial.mask(look))
        ]
        if len(here) > len(found):
            found, frame = here, at
    found.sort(key=lambda region: abs(float(np.log(region.sum() / seed.sum()))))
    t_s = float(views.stack.t_ns[frame]) * 1e-9
    reason = "It looks like an object that is moved."
    return [Candidate(frame, region, 0.5, "colour", reason, t_s) for region in found[:MOST]]
