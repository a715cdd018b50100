"""All thresholds of pass 1, in image heights, seconds and shares."""

from __future__ import annotations

from dataclasses import dataclass, field

from reenact.filtering.camera import CameraConfig
from reenact.filtering.cuts import CutConfig
from reenact.filtering.dissolves import DissolveConfig
from reenact.filtering.published import BackgroundFlowConfig, SceneScoreConfig


@dataclass(frozen=True)
class HandConfig:
    """How hands are looked for."""

    rate_hz: float = 3.0
    """Looks per second (a single look finds a hand in 62-100 % of the frames of five clips that show one)."""
    looks_per_shot: int | None = None
    """If given: so many looks, evenly over each shot, are used instead of all."""
    max_gap_s: float = 2.0
    """Longest time without a hand that does not end a run: six looks that miss at 0.6 each are rare (0.4 %)."""
    max_step_s: float = 1.0
    """Longest pause between two looks over which a speed is taken."""
    split_at_gaps: bool = True
    """False: a shot is judged as a whole."""
    box_scale: float = 1.2
    """Side of a hand's box over that of its 21 joints: fingertips and wrist have flesh around the joint."""
    border_heights: float = 5 / 360
    """A box closer to the border than this is truncated (EgoInfinity: 5 px at 360)."""


@dataclass(frozen=True)
class FilterConfig:
    """Which stretches are kept. ``None`` switches a rule off."""

    name: str = "default"
    """Stored with the result."""
    cuts: CutConfig | SceneScoreConfig = field(default_factory=CutConfig)
    """How hard cuts are found."""
    dissolves: DissolveConfig | None = field(default_factory=DissolveConfig)
    """How dissolves are found."""
    camera: CameraConfig | BackgroundFlowConfig = field(default_factory=CameraConfig)
    """How camera motion is measured."""
    hands: HandConfig = field(default_factory=HandConfig)
    """How hands are looked for."""
    small_height_px: int = 144
    """Rows of the small pictures that the caller should give."""
    longest_shot_only: bool = False
    """Keep nothing but the longest shot."""
    min_segment_s: float = 2.0
    """Shortest stretch kept: a reach and a grasp take about that long."""
    min_uncut_s: float | None = None
    """Shortest shot looked at, where cuts were found at all (an uncut video is looked at whatever its length)."""
    min_hand_ratio: float = 0.5
    """Least share of looks with a hand. Looks miss hands (see ``rate_hz``), hence well below 1."""
    min_hand_area: float = 0.002
    """Least mean area of hand boxes, share of the picture."""
    max_hand_area: float = 0.5
    """Largest mean area."""
    max_truncated_ratio: float = 0.75
    """Largest share of looks with a hand at the border. Head cameras cut hands off often; later stages cope."""
    min_fast_speed: float | None = 0.03
    """Least 90th percentile of the palm speed, heights per second: hands that rest are no activity."""
    max_camera_rate: float | None = None
    """Fastest median camera motion, heights per second; None: a moving camera is flagged, not rejected."""
    max_camera_lost: float | None = 0.5
    """Largest share of looks between which nothing is found again: too fast or too blurred to track."""

    @staticmethod
    def egoinfinity() -> FilterConfig:
        """The rules of EgoInfinity's Action100M screening (commit de59610, ``action100m_filter``).

        Taken over as they are: longest uncut run, 5 s; hands in 75 % of 8 evenly spaced pictures; mean box
        0.5 % to 40 % of the picture; boxes at the border in at most half of the pictures; ffmpeg scene score 0.4.
        Converted: 5 px at 360 rows -> 0.0139 heights. 2.0 px of background flow at 360 rows between pictures
        0.1 s apart -> 0.0556 heights/s (3.0 px, the command line's default, would be 0.0833). Their frame picker takes
        all frames within 0.02 s of each wanted instant, so that a pair may be neighbours in a 30 Hz video; then
        the same 2.0 px mean 0.167 heights/s. Not taken over: their detector (a YOLO net behind an unsafe pickle). The box
        around our joints stands for its box.
        """
        return FilterConfig(
            name="egoinfinity",
            cuts=SceneScoreConfig(),
            dissolves=None,
            camera=BackgroundFlowConfig(),
            hands=HandConfig(looks_per_shot=8, split_at_gaps=False),
            small_height_px=360,
            longest_shot_only=True,
            min_segment_s=0.0,
            min_uncut_s=5.0,
            min_hand_ratio=0.75,
            min_hand_area=0.005,
            max_hand_area=0.40,
            max_truncated_ratio=0.5,
            min_fast_speed=None,
            max_camera_rate=2.0 / 360 / 0.1,
            max_camera_lost=None,
        )
