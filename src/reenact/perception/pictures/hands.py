"""Where hands and forearms are in each small picture: landmarks say about where, the hand's own colour says which pixels.

The colour of the skin is learned from the clip: per frame a histogram of the pixels along the bones, then the median
over the frames, bin by bin, so that an object in the hand for a while does not count as skin; and where both hands are
seen, what only one of them shows is a thing that it holds all the time. The forearm is what has the colour seen right
behind the wrist, in a wedge behind it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8

from reenact.hands.joints import PARENTS_21
from reenact.perception.pictures.colour import BINS, COUNT, ColourRatio, colour_bins, histogram, spread
from reenact.perception.pictures.outline import fill_widened, palm_sizes
from reenact.perception.pictures.stack import PictureStack
from reenact.scene import HandLandmarks, MaskLabel

PALM = (0, 1, 5, 9, 13, 17)


@dataclass(frozen=True)
class HandRegionConfig:
    """Lengths are fractions of the palm, wrist to middle knuckle, in the picture."""

    core_width: float = 0.12
    """Width of the strokes along the bones whose colour is taken as skin."""
    finger_width: float = 0.46
    """Width of the strokes along the bones within which skin-coloured pixels are the hand's."""
    palm_margin: float = 0.16
    """Margin around the palm's outline, likewise."""
    arm_reach: float = 4.5
    """How far behind the wrist the forearm is looked for."""
    arm_half_angle_deg: float = 42.0
    """Half opening of the wedge behind the wrist in which the forearm is looked for (wrists bend)."""
    arm_core: float = 1.0
    """Length of the stroke behind the wrist whose colour is taken as the arm's."""
    one_hand: float = 0.15
    """A colour that one hand shows less than this often, against the other, is no skin."""
    min_share: float = 3e-4
    """Colours that are rarer along the bones than this tell nothing of that."""
    usual: float = 0.9
    """Nor is skin in more or less light: tints that make up this share of what both hands show are skin's."""
    both_seen: int = 6
    """Each hand must be seen in so many of the frames for that."""
    min_ratio: float = 0.0
    """log(skin : surroundings) above which a pixel in the hand's reach is the hand's."""
    core_ratio: float = -1.2
    """The same on the strokes along the bones: landmarks alone nearly suffice."""
    fill_gap_s: float = 0.5
    """Landmarks missing for no longer than this are interpolated."""
    learn_frames: int = 48
    """Frames from which colours are learned, spread over the clip."""


class HandRegions:
    """Learns the colours once; then `labels(frame)` gives the hand and arm pixels of one frame."""

    def __init__(
        self, stack: PictureStack, landmarks: HandLandmarks, config: HandRegionConfig | None = None
    ) -> None:
        self.config = config or HandRegionConfig()
        self._stack = stack
        at = stack.frame_idx
        self.points, self.valid = fill_gaps(
            stack.to_small(landmarks.landmarks_px[at]),
            landmarks.valid[at],
            stack.t_ns,
            self.config.fill_gap_s,
        )
        self.palm_px = palm_sizes(self.points, self.valid)
        self._skin, self._arm = self._learn()

    def labels(self, frame: int, bins: Int[np.ndarray, "h w"] | None = None) -> UInt8[np.ndarray, "h w"]:
        """`MaskLabel` codes of hands and arms, 0 elsewhere; ``bins``: the frame's `colour_bins`, if known already."""
        result = np.zeros((self._stack.height_px, self._stack.width_px), np.uint8)
        if not self.valid[frame].any():
            return result
        bins = colour_bins(self._stack.rgb[frame]) if bins is None else bins
        for side in (0, 1):
            if self.valid[frame, side]:
                arm = self._arm_pixels(frame, side, bins)
                result[arm & (result == 0)] = MaskLabel.ARM_LEFT + side
        for side in (0, 1):
            if self.valid[frame, side]:
                result[self._hand_pixels(frame, side, bins)] = MaskLabel.HAND_LEFT + side
        return result

    def reach(self, frame: int, grow: float = 0.0) -> Bool[np.ndarray, "h w"]:
        """Pixels within a hand's outline by the landmarks alone, grown by so many palms."""
        result = np.zeros((self._stack.height_px, self._stack.width_px), np.uint8)
        for side in (0, 1):
            if self.valid[frame, side]:
                self._draw_hand(result, frame, side, self.config.finger_width + 2 * grow, grow)
        return result > 0

    def wedge(self, frame: int, longer: float = 1.0) -> Bool[np.ndarray, "h w"]:
        """Pixels behind a wrist, where arms are and held things are not; ``longer``: times the usual reach."""
        result = np.zeros((self._stack.height_px, self._stack.width_px), np.uint8)
        for side in (0, 1):
            if self.valid[frame, side]:
                self._draw_wedge(result, frame, side, longer)
        return result > 0

    def skin_like(self, frame: int) -> Bool[np.ndarray, "h w"]:
        """Pixels anywhere in the picture that have the colour of the hands' skin."""
        return np.asarray(cv2.blur(self._skin.at(colour_bins(self._stack.rgb[frame])), (3, 3)) > 0.5)

    def _learn(self) -> tuple[ColourRatio, ColourRatio]:
        seen = np.flatnonzero(self.valid.any(axis=1))
        if len(seen) == 0:
            nothing = ColourRatio(np.zeros(COUNT, np.float32))
            return nothing, nothing
        picks = seen[np.unique(np.linspace(0, len(seen) - 1, self.config.learn_frames).astype(int))]
        each: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        skins, arms, around = [], [], np.zeros(COUNT)
        for frame in picks.tolist():
            bins = colour_bins(self._stack.rgb[frame])
            core, arm = np.zeros(bins.shape, np.uint8), np.zeros(bins.shape, np.uint8)
            for side in (0, 1):
                if self.valid[frame, side]:
                    own = np.zeros(bins.shape, np.uint8)
                    self._draw_hand(own, frame, side, self.config.core_width, -0.12)
                    self._draw_arm_core(arm, frame, side)
                    each[side].append(_shares(bins[own > 0]))
                    core |= own
            arm[core > 0] = 0
            skins.append(_shares(bins[core > 0]))
            if (arm > 0).any():
                arms.append(_shares(bins[arm > 0]))
            far = ~(self.reach(frame, 0.3) | self.wedge(frame))
            around += np.bincount(bins[far], minlength=COUNT)
        held = self._always_held(*each)
        skin = np.where(held, 0.0, np.median(skins, axis=0))
        spread_around = spread(around)
        arm_counts = np.median(arms, axis=0) if arms else skin
        of_skin = ColourRatio.of(skin * 1e4, spread_around)
        of_skin.table[held] = of_skin.table.min()
        return of_skin, ColourRatio.of((arm_counts + 0.5 * skin) * 1e4, spread_around)

    def _always_held(self, left: list[np.ndarray], right: list[np.ndarray]) -> Bool[np.ndarray, " n"]:
        """Colours of a thing that one hand holds all the time, from those along the bones of each hand by frame."""
        c = self.config
        if min(len(left), len(right)) < c.both_seen:
            return np.zeros(COUNT, bool)
        a, b = np.median(left, axis=0), np.median(right, axis=0)
        less, more = np.minimum(a, b), np.maximum(a, b)
        return (less < c.one_hand * more) & (more > c.min_share) & ~_usual_tint(less, c.usual)

    def _hand_pixels(self, frame: int, side: int, bins: np.ndarray) -> Bool[np.ndarray, "h w"]:
        c = self.config
        reach, core = np.zeros(bins.shape, np.uint8), np.zeros(bins.shape, np.uint8)
        self._draw_hand(reach, frame, side, c.finger_width, c.palm_margin)
        self._draw_hand(core, frame, side, c.core_width, -0.12)
        ratio = cv2.blur(self._skin.at(bins), (3, 3))
        found = (reach > 0) & ((ratio > c.min_ratio) | ((core > 0) & (ratio > c.core_ratio)))
        size = max(3, int(0.10 * self.palm_px[frame, side]) | 1)
        closed = cv2.morphologyEx(
            found.astype(np.uint8),
            cv2.MORPH_CLOSE,
            cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)),
        )
        return np.asarray((closed > 0) & (reach > 0))

    def _arm_pixels(self, frame: int, side: int, bins: np.ndarray) -> Bool[np.ndarray, "h w"]:
        wedge, core = np.zeros(bins.shape, np.uint8), np.zeros(bins.shape, np.uint8)
        self._draw_wedge(wedge, frame, side)
        self._draw_arm_core(core, frame, side)
        like = cv2.blur(self._arm.at(bins), (5, 5)) > 0.3
        found = ((wedge > 0) & like).astype(np.uint8)
        found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
        _, parts = cv2.connectedComponents(found)
        mine = np.unique(parts[(core > 0) & (found > 0)])
        return np.isin(parts, mine[mine > 0])

    def _draw_hand(self, canvas: np.ndarray, frame: int, side: int, width: float, margin: float) -> None:
        points, palm = self.points[frame, side], self.palm_px[frame, side]
        fixed = np.round(points * 16).astype(np.int32)
        stroke = max(1, round(2 * margin * palm)) if margin > 0 else 0
        fill_widened(canvas, cv2.convexHull(fixed[list(PALM)]), stroke, 4)
        thickness = max(1, round(width * palm))
        for joint, parent in enumerate(PARENTS_21):
            if parent > 0:
                ends = fixed[parent].tolist(), fixed[joint].tolist()
                cv2.line(canvas, ends[0], ends[1], 1, thickness, cv2.LINE_8, 4)

    def _draw_wedge(self, canvas: np.ndarray, frame: int, side: int, longer: float = 1.0) -> None:
        c, palm = self.config, self.palm_px[frame, side]
        wrist, back = self._behind(frame, side)
        half = np.deg2rad(c.arm_half_angle_deg)
        turns = np.linspace(-half, half, 7)
        arc = [
            wrist + longer * c.arm_reach * palm * np.array([
                np.cos(a) * back[0] - np.sin(a) * back[1], np.sin(a) * back[0] + np.cos(a) * back[1]
            ])
            for a in turns
        ]  # fmt: skip
        across = np.array([-back[1], back[0]]) * 0.45 * palm
        outline = np.array([wrist + across, wrist - across, *arc])
        cv2.fillConvexPoly(canvas, cv2.convexHull(np.round(outline * 16).astype(np.int32)), 1, cv2.LINE_8, 4)

    def _draw_arm_core(self, canvas: np.ndarray, frame: int, side: int) -> None:
        palm = self.palm_px[frame, side]
        wrist, back = self._behind(frame, side)
        ends = np.round(
            np.array([wrist + 0.35 * palm * back, wrist + (0.35 + self.config.arm_core) * palm * back]) * 16
        ).astype(int)
        thickness = max(1, round(0.35 * palm))
        cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), 1, thickness, cv2.LINE_8, 4)

    def _behind(self, frame: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        """The wrist, and the direction away from the fingers."""
        points = self.points[frame, side]
        away = points[0] - points[[5, 9, 13, 17]].mean(axis=0)
        return points[0], away / max(float(np.linalg.norm(away)), 1e-6)


def _usual_tint(counts: Float64[np.ndarray, " n"], share: float) -> Bool[np.ndarray, " n"]:
    """Bins of the commonest tints, whatever their lightness, that make up at least this share of the counts."""
    tints = counts.reshape(-1, BINS * BINS).sum(axis=0)
    order = np.argsort(tints)[::-1]
    within = np.cumsum(tints[order]) - tints[order] < share * tints.sum()
    usual = np.zeros(BINS * BINS, bool)
    usual[order[within]] = True
    return np.tile(usual, len(counts) // (BINS * BINS))


def _shares(bins: np.ndarray) -> Float64[np.ndarray, " n"]:
    counts = histogram(bins)
    return counts / max(counts.sum(), 1.0)


def fill_gaps(
    points: Float64[np.ndarray, "t 2 21 2"],
    valid: Bool[np.ndarray, "t 2"],
    t_ns: np.ndarray,
    longest_s: float,
) -> tuple[Float64[np.ndarray, "t 2 21 2"], Bool[np.ndarray, "t 2"]]:
    """Landmarks with gaps of at most so many seconds interpolated linearly."""
    points, filled = points.copy(), valid.copy()
    t = t_ns * 1e-9
    for side in (0, 1):
        seen = np.flatnonzero(valid[:, side])
        for a, b in itertools.pairwise(seen.tolist()):
            if b - a > 1 and t[b] - t[a] <= longest_s:
                inside = np.arange(a + 1, b)
                u = ((t[inside] - t[a]) / (t[b] - t[a]))[:, None, None]
                points[inside, side] = (1 - u) * points[a, side] + u * points[b, side]
                filled[inside, side] = True
    return points, filled
