"""Every threshold of the camera path, with unit and origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class TracksConfig:
    """Corners and how they are followed. Pixels are those of the working picture."""

    height_px: int = 480
    """Pictures are brought to this height at most before corners are looked for."""
    cell: float = 1 / 15
    """Side of a cell of the picture that may hold `per_cell` tracks, in picture heights."""
    per_cell: int = 5
    """Tracks per cell."""
    corner_quality: float = 0.0007
    """Least response of a corner, as a share of the best one's."""
    corner_ratio: float = 0.12
    """Least ratio of the two eigenvalues of a corner's structure: edges slide along themselves. On rendered wood
    (grain, shadows) tracks below 0.05 were 2 to 4 px off after eight frames."""
    corner_strength: float = 150.0
    """Least smaller eigenvalue, (grey levels per pixel)^2 summed over a window of 15 px."""
    roundtrip_px: float = 0.4
    """Largest forward-backward error against the last keyframe."""
    keyframe_motion: float = 0.03
    """Median motion since the last keyframe that asks for a new one, in picture widths."""
    keyframe_share: float = 0.7
    """Share of tracks still alive below which a new keyframe is taken."""
    keyframe_s: float = 0.5
    """Longest time between keyframes, seconds."""
    near_palms: float = 1.5
    """Around a hand, so many palm lengths count as what it may hold."""
    near_s: float = 0.3
    """Tracks that are that near for longer, in all, are not of the room (a lifted crate carried 70 % of all points of a
    rendered clip and bent its path by 3 cm)."""


@dataclass(frozen=True)
class MarksConfig:
    """Marks that are recognised between keyframes."""

    per_picture: int = 1500
    """Strongest marks kept in a keyframe."""
    contrast: float = 0.01
    """Contrast threshold of SIFT (Lowe has 0.03 to 0.04; bare tables need the faint marks)."""
    ratio: float = 0.8
    """Largest ratio of best to second-best distance (Lowe, section 7.1)."""
    all_pairs: int = 24
    """With up to so many keyframes every pair is looked at."""
    strides: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 11, 15, 20, 26, 34, 44, 56, 70)
    """With more, keyframes that far apart."""
    min_agreeing: int = 15
    """Marks that must agree for a pair of keyframes to be tied."""
    epipolar_px: float = 1.0
    """Largest epipolar error of a pair of marks at the working height."""


@dataclass(frozen=True)
class MappingConfig:
    """The global mapper (GLOMAP, Pan et al., ECCV 2024, in pycolmap)."""

    strides: tuple[int, ...] = (1, 2, 3, 5, 8, 12, 18, 24, 32, 42)
    """Keyframes that far apart are matched, where tracks reach."""
    max_keyframes: int = 400
    """Clips with more are not solved (about ten minutes of work)."""
    min_shared: int = 20
    """Tracks that two keyframes must share to be matched."""
    epipolar_px: float = 1.5
    """Largest epipolar error of a match at the working height."""
    min_angle_deg: float = 1.0
    """Least angle between two rays of a point."""


@dataclass(frozen=True)
class JudgeConfig:
    """When a path is believed."""

    min_placed: float = 0.8
    """Share of the clip's frames that must have been placed."""
    max_hole_s: float = 0.4
    """Holes up to this long are interpolated (source FILLED)."""
    min_points: int = 30
    """Points of the map."""
    max_turn_sigma_deg: float = 2.0
    """One-sigma of the turn, from two halves of the tracks solved apart, degrees."""
    max_place_sigma: float = 0.04
    """The same of the camera's place, in median distances of the points."""
    max_path_sigma: float = 0.35
    """The same in extents of the path itself: a path whose shape is not known to a third is none."""
    tiny_path: float = 0.03
    """Paths shorter than this (median distances of the points) may be as unsure as they like in their own lengths: the
    camera only turned."""


@dataclass(frozen=True)
class MotionLensConfig:
    """When the focal length that the motion tells replaces an assumed one."""

    floor_sigma: float = 0.03
    """It is never said to be surer than this, relative."""
    max_sigma: float = 0.08
    """Largest difference of a half from the whole that is accepted, relative."""
    max_prior_sigmas: float = 2.5
    """Largest distance from the assumed one, in its own sigmas."""
    min_keyframes_share: float = 0.8
    """Share of the keyframes that every part must have placed."""


@dataclass(frozen=True)
class ScaleConfig:
    """Metres from hands."""

    step_s: float = 0.3
    """Hands are compared over this time."""
    rest_speed: float = 0.03
    """Speed at which a hand counts as resting, the width of the robust norm, m/s."""
    touch_quantile: float = 0.8
    """Quantile of (hand distance)/(map distance behind it) that is taken as touching."""
    touch_sigma: float = 0.25
    """Relative one-sigma of that rule (on seven rendered clips metres were 0.67 to 1.37 of the quantile 0.9)."""
    contradiction: float = 3.0
    """Resting and touching hands that differ by more sigmas than this give no metres: hands that travel with the camera
    (a plate carried on foot) look as if they rested and the camera stood still."""
    hand_sigma: float = 0.06
    """Relative one-sigma of the adult hand length: no scale from hands is surer (less sure where hands say so)."""
    max_sigma: float = 0.5
    """A scale less sure than this is none."""


@dataclass(frozen=True)
class PathConfig:
    """Camera paths of moving cameras."""

    method: Literal["sfm", "none"] = "sfm"
    """sfm: structure from motion where the camera moves; none: the path of a moving camera stays unknown."""
    tracks: TracksConfig = field(default_factory=TracksConfig)
    marks: MarksConfig = field(default_factory=MarksConfig)
    mapping: MappingConfig = field(default_factory=MappingConfig)
    lens: MotionLensConfig = field(default_factory=MotionLensConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)
    scale: ScaleConfig = field(default_factory=ScaleConfig)
    seed: int = 0
    """Of every random search."""
