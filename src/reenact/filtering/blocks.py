"""Which parts of one picture are found again in another, and where: one measure for cuts and for camera motion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from reenact.filtering.pictures import HEIGHT_PX, Picture


@dataclass(frozen=True)
class BlockConfig:
    """How blocks are compared. Lengths in image heights."""

    rows: int = 5
    """Blocks per image height. (Tried 3-6 on eight clips: from 5 on, chance matches between unlike scenes are rare.)"""
    search: float = 0.25
    """How far a block is looked for, each way."""
    min_contrast: float = 4.0
    """Standard deviation of a block's grey values (of 255) below which it says nothing."""
    good: float = 0.8
    """Normalised correlation from which on a block counts as found again."""
    min_blocks: int = 3
    """A picture with fewer blocks of contrast is blank."""


@dataclass(frozen=True, eq=False)
class BlockMatches:
    """Best match in the earlier picture of every block of the later one that has contrast."""

    displacement: Float[np.ndarray, "n 2"]
    """How the content moved from the earlier to the later picture, x and y, image heights."""
    score: Float[np.ndarray, " n"]
    """Normalised correlation of the best match."""
    is_found: np.ndarray
    """bool [n]: found again."""

    @property
    def found_share(self) -> float:
        """Share of blocks found again; nan without blocks."""
        return float(self.is_found.mean()) if len(self.is_found) else float("nan")


def match_blocks(before: Picture, now: Picture, config: BlockConfig) -> BlockMatches:
    """Look for every block of ``now`` in ``before``."""
    side, reach = HEIGHT_PX // config.rows, round(config.search * HEIGHT_PX)
    wide = cv2.copyMakeBorder(before.grey, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    rows: list[tuple[float, float, float]] = []
    for row, column in np.argwhere(block_contrasts(now, side) >= config.min_contrast).tolist():
        y, x = row * side, column * side
        window = wide[y : y + side + 2 * reach, x : x + side + 2 * reach]
        match = cv2.matchTemplate(window, now.grey[y : y + side, x : x + side], cv2.TM_CCOEFF_NORMED)
        _, score, _, (px, py) = cv2.minMaxLoc(match)
        dx, dy = px + _vertex(match[py], px) - reach, py + _vertex(match[:, px], py) - reach
        rows.append((-dx / HEIGHT_PX, -dy / HEIGHT_PX, score))
    table = np.array(rows, np.float64).reshape(-1, 3)
    return BlockMatches(table[:, :2], table[:, 2], table[:, 2] > config.good)


def _vertex(values: np.ndarray, i: int) -> float:
    """Offset of a parabola's top through three neighbours, -0.5..0.5; 0 at the rim."""
    if i <= 0 or i >= len(values) - 1:
        return 0.0
    left, middle, right = values[i - 1 : i + 2].tolist()
    bend = left - 2 * middle + right
    return max(-0.5, min(0.5, 0.5 * (left - right) / bend)) if bend < -1e-9 else 0.0


def block_contrasts(picture: Picture, side: int) -> Float[np.ndarray, "rows columns"]:
    """Standard deviation of the grey values of every whole block."""
    rows, columns = picture.grey.shape[0] // side, picture.grey.shape[1] // side
    blocks = (
        picture.grey[: side * rows, : side * columns].reshape(rows, side, columns, side).astype(np.float32)
    )
    return blocks.std(axis=(1, 3))


def is_blank(picture: Picture, config: BlockConfig) -> bool:
    """True for black, white or otherwise even pictures."""
    contrasts = block_contrasts(picture, HEIGHT_PX // config.rows)
    return int((contrasts >= config.min_contrast).sum()) < config.min_blocks


def structure_change(a: Picture, b: Picture, config: BlockConfig) -> float:
    """Share of blocks (0..1) not found again, the better of both directions; 1 where either is blank.

    Both directions, because a camera that moves in or out leaves new content in one of them only.
    """
    shares = []
    for before, now in ((a, b), (b, a)):
        matches = match_blocks(before, now, config)
        if len(matches.score) >= config.min_blocks:
            shares.append(matches.found_share)
    return 1.0 - max(shares) if len(shares) == 2 else 1.0
