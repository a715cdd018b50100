"""A glance before pass 1: most videos of a large corpus show no hands at all, and a few pictures tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from reenact.filtering.config import FilterConfig
from reenact.filtering.hands import HandLook, hand_numbers
from reenact.filtering.report import FilterReport, Reason, Segment


@dataclass(frozen=True)
class GlanceConfig:
    """Which pictures a glance takes."""

    every_s: float = 2.0
    """Pause between pictures: a stretch of hands of several seconds cannot fall between them."""
    tolerance_s: float = 1.0
    """A key frame so near is as good: it costs one decoded frame instead of many."""
    min_pictures: int = 4
    """With fewer (a short video) nothing is concluded: pass 1 costs little there."""


def glance_times(duration_ns: int, config: GlanceConfig) -> Int64[np.ndarray, " n"]:
    """Instants to look at, half a pause from both ends; to be read with ``reenact.video.sparse.frames_near``."""
    step = round(config.every_s * 1e9)
    count = max(1, round(duration_ns / step))
    return ((np.arange(count) + 0.5) * duration_ns / count).astype(np.int64)


def shows_nothing(looks: list[HandLook], config: GlanceConfig) -> bool:
    """True where enough pictures were looked at and none shows a hand."""
    return len(looks) >= config.min_pictures and not any(look.hands for look in looks)


def nothing_report(looks: list[HandLook], duration_ns: int, config: FilterConfig) -> FilterReport:
    """The report on a video that a glance ruled out."""
    rules = config.hands
    segment = Segment(
        start_ns=0,
        end_ns=duration_ns,
        is_kept=False,
        reasons=(Reason.NO_HANDS_AT_A_GLANCE,),
        flags=(),
        hands=hand_numbers(looks, rules.border_heights, rules.max_step_s),
        camera=None,
    )
    return FilterReport(config_name=config.name, duration_ns=duration_ns, cuts=(), segments=(segment,))
