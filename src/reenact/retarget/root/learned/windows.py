"""Windows of bimanual wrist motion: what the network sees of a clip, whatever the clip's frame rate and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.retarget.root.heading import ACROSS_SHARE
from reenact.retarget.root.learned.config import WindowConfig
from reenact.retarget.targets import HandTargets

DISTAL = np.array([1.0, -1.0])
"""Sign of the wrist frame's x axis that points to the fingertips, left and right."""


@dataclass(frozen=True)
class Windows:
    """A batch of windows of `n` tokens, in the frame the clip is in (any frame). Invalid rows hold zeros."""

    T_world_wrist: Float64[np.ndarray, "b n 2 4 4"]
    valid: Bool[np.ndarray, "b n 2"]
    seconds: Float64[np.ndarray, "b n"]
    """Since the start of the window."""
    up: Float64[np.ndarray, "b 3"]
    """Unit vector, zeros where gravity is not given."""

    def __len__(self) -> int:
        return len(self.valid)

    def centre(self) -> Float64[np.ndarray, "b 3"]:
        """Mean position of the seen wrists: of each hand over its valid tokens, then over the hands that were seen."""
        weight = self.valid[..., None].astype(float)
        count = weight.sum(axis=1)
        side = (self.T_world_wrist[..., :3, 3] * weight).sum(axis=1) / np.maximum(count, 1.0)
        seen = (count > 0).astype(float)
        return (side * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1.0)

    def reference(self) -> Float64[np.ndarray, "b 3 3"]:
        """A frame tied to the clip, in which start noise is drawn so that turning the clip turns the samples.

        Upright and facing where the fingers point where gravity is given; else the first valid wrist's axes.
        """
        weight = self.valid[..., None].astype(float)
        R = self.T_world_wrist[..., :3, :3]
        facing = ((R[..., 0] * DISTAL[:, None] + ACROSS_SHARE * R[..., 2]) * weight).sum(axis=(1, 2))
        facing = facing - (facing * self.up).sum(axis=1, keepdims=True) * self.up
        length = np.linalg.norm(facing, axis=1, keepdims=True)
        facing = facing / np.maximum(length, 1e-9)
        level = np.stack([facing, np.cross(self.up, facing), self.up], axis=2)
        flat = self.valid.reshape(len(self), -1)
        first = R.reshape(len(self), -1, 3, 3)[np.arange(len(self)), flat.argmax(axis=1)]
        known = (np.abs(self.up).sum(axis=1) > 0) & (length[:, 0] > 1e-6)
        return np.where(known[:, None, None], level, first)


def clip_windows(
    targets: HandTargets,
    sides: tuple[int, ...],
    up: Float64[np.ndarray, "3"] | None,
    T_wrist_offset: Float[np.ndarray, "2 4 4"],
    config: WindowConfig,
) -> Windows:
    """Overlapping windows over a clip. Each token is the nearest valid frame within half a token of its instant.

    Args:
        targets: the clip.
        sides: hands that are followed; the others count as unseen.
        up: unit vector, or None where gravity is not known well enough.
        T_wrist_offset: applied on the right of the wrist poses, per side (`weights.RootWeights.offsets`).
        config: lengths.
    """
    seconds = targets.seconds - targets.seconds[0]
    valid = targets.valid.copy()
    valid[:, [s for s in (0, 1) if s not in sides]] = False
    starts = _starts(float(seconds[-1]), config)
    wanted = starts[:, None] + config.step_s * np.arange(config.tokens)
    T = np.zeros((len(starts), config.tokens, 2, 4, 4))
    seen = np.zeros((len(starts), config.tokens, 2), bool)
    for side in sides:
        frames = np.flatnonzero(valid[:, side])
        away = np.abs(wanted[..., None] - seconds[frames])
        near = frames[away.argmin(axis=2)]
        seen[..., side] = away.min(axis=2) <= 0.5 * config.step_s + 1e-9
        T[:, :, side] = targets.T_world_wrist[near, side] @ T_wrist_offset[side]
    T[~seen] = 0.0
    used = seen.any(axis=(1, 2))
    ups = np.tile(np.zeros(3) if up is None else up, (int(used.sum()), 1))
    return Windows(T[used], seen[used], (wanted - starts[:, None])[used], ups)


def _starts(duration: float, config: WindowConfig) -> np.ndarray:
    """Window starts from 0 on, the last one ending with the clip."""
    room = duration - (config.length_s - config.step_s)
    if room <= 0:
        return np.zeros(1)
    count = int(np.ceil(room / config.stride_s)) + 1
    return np.linspace(0.0, room, count)
