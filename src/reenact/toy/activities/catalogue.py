"""All activities by name, and the one function that turns a config into a script."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reenact.errors import NoResultError
from reenact.hands.joints import LEFT, RIGHT
from reenact.toy.activities.moving import pick_place, push
from reenact.toy.activities.pouring import pour
from reenact.toy.activities.together import handover, two_hand_lift
from reenact.toy.activities.tools import cut, strike, wipe
from reenact.toy.config import ToyConfig, ToyConfigError
from reenact.toy.grasps import GraspNotFound
from reenact.toy.plan import Stage
from reenact.toy.rehearse import faults
from reenact.toy.script import Script

Activity = Callable[[Stage, int], None]

ACTIVITIES: dict[str, Activity] = {
    write.__name__: write for write in (pick_place, pour, push, two_hand_lift, handover, cut, wipe, strike)
}
"""Name -> function that writes the phases; its second argument is the main hand's side."""
NEEDS_BOTH = frozenset({"two_hand_lift", "handover", "cut"})
"""Activities that cannot be done with one hand."""


TRIES = 8
"""Seeds whose script has a fault are tried again with fresh draws, this often."""


class ScriptNotFound(NoResultError):
    """No draw of sizes and places gave a script without faults."""


def write_script(config: ToyConfig) -> Script:
    """The script of a config: the first draw without faults (see `rehearse`).

    Raises:
        ToyConfigError: unknown activity, or one that needs both hands.
        ScriptNotFound: every try had a fault; the message tells those of the last.
    """
    if config.activity not in ACTIVITIES:
        raise ToyConfigError(
            f"unknown toy activity {config.activity!r}", hint=f"known: {', '.join(sorted(ACTIVITIES))}"
        )
    if config.activity in NEEDS_BOTH and config.hands != "both":
        raise ToyConfigError(
            f"{config.activity} with hands={config.hands!r}", hint="this activity needs both"
        )
    sides = {"both": (LEFT, RIGHT), "left": (LEFT,), "right": (RIGHT,)}[config.hands]
    problems: list[str] = []
    for attempt in range(TRIES):
        stage = Stage(np.random.default_rng([config.seed, attempt]), config.hand_length, sides)
        try:
            ACTIVITIES[config.activity](stage, RIGHT if config.main_side == "right" else LEFT)
        except GraspNotFound as error:
            problems = [error.message]
            continue
        script = stage.script(config.activity, config.clutter)
        problems = faults(script, config.hand_length)
        if not problems:
            return script
    raise ScriptNotFound(
        f"{config.activity}, seed {config.seed}: {TRIES} tries had faults; the last: {'; '.join(problems)}",
        hint="another seed or another hand_length",
    )
