"""The truth backend: a toy clip's own depth with noise of stated size, so that later stages can be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from reenact.perception.depth.contract import ChunkSpan, DepthImage
from reenact.scene import Source


@dataclass(frozen=True)
class TruthDepthConfig:
    """The noise put on the truth; none by default."""

    noise: float = 0.0
    """White noise per pixel, relative one-sigma."""
    bias: float = 0.0
    """Constant relative error of the scale."""
    drift: float = 0.0
    """Slow change of the scale over the clip: one-sigma of a random walk's end, relative."""
    frame_scale: float = 0.0
    """Scale error of each frame on its own, relative one-sigma."""
    dropout: float = 0.0
    """Share of pixels that are unknown."""
    metric: bool = True
    """False: the pictures are divided by an arbitrary factor and said to be scale invariant."""
    chunk_frames: int = 0
    """Frames of a chunk, each chunk with a scale and shift of its own, as nets for long clips give them; 0: one chunk."""
    chunk_overlap: int = 4
    """Frames that a chunk shares with the one before."""
    chunk_scale: float = 0.2
    """One-sigma of the logarithm of a chunk's scale (the first has none)."""
    chunk_shift: float = 0.05
    """One-sigma of a chunk's shift (m of truth; the first has none: no hand can tell a shift from a scale)."""
    seed: int = 0
    """Seed of everything random here."""


ARBITRARY = 2.7
"""What relative depth is divided by."""


class TruthDepth:
    """Noisy truth, frame by frame."""

    name = "truth"
    licence = "none"

    def __init__(
        self,
        read: Callable[[int], Float32[np.ndarray, "h w"]],
        frames: int,
        config: TruthDepthConfig | None = None,
    ) -> None:
        """read: true metres of a frame, 0 where there is no surface."""
        self._read, self.config = read, config or TruthDepthConfig()
        rng = np.random.default_rng([self.config.seed, 1])
        walk = np.cumsum(rng.normal(size=frames)) / max(np.sqrt(frames), 1.0) * self.config.drift
        self.chunks = _spans(frames, self.config.chunk_frames, self.config.chunk_overlap)
        own = np.random.default_rng([self.config.seed, 3])
        draws = own.normal(size=(len(self.chunks), 2)) * [self.config.chunk_scale, self.config.chunk_shift]
        draws[0] = 0.0
        self.chunk_maps = [(float(np.exp(a)), float(b)) for a, b in draws]
        self.factor = (1 + self.config.bias + walk) * (1 + rng.normal(size=frames) * self.config.frame_scale)

    @property
    def kind(self) -> str:
        """See the contract."""
        return "depth_metric" if self.config.metric else "depth_scale_invariant"

    @property
    def scale_source(self) -> str:
        """See the contract."""
        return "truth" if self.config.metric else "unknown"

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """The factors that were planted."""
        return {"factor": self.factor.tolist()}

    def frame(self, frame: int) -> DepthImage | None:
        """See the contract."""
        first = next(i for i, c in enumerate(self.chunks) if c.first <= frame < c.first + c.count)
        return self.chunk_frame(first, frame)

    def chunk_frame(self, chunk: int, frame: int) -> DepthImage | None:
        """See the contract."""
        c, span = self.config, self.chunks[chunk]
        if not span.first <= frame < span.first + span.count:
            return None
        scale, shift = self.chunk_maps[chunk]
        z = self._read(frame).astype(np.float64)
        rng = np.random.default_rng([c.seed, 2, frame])
        noisy = z * self.factor[frame] * (1 + c.noise * rng.normal(size=z.shape))
        keep = (z > 0) & (rng.random(z.shape) >= c.dropout)
        noisy = np.maximum(scale * noisy + shift, 0)
        values = np.where(keep, noisy / (1.0 if c.metric else ARBITRARY), 0).astype(np.float32)
        exact = c == TruthDepthConfig(seed=c.seed)
        sigma = max(float(np.sqrt(c.noise**2 + c.bias**2 + c.drift**2 + c.frame_scale**2)), 1e-3)
        return DepthImage(values, sigma, 1.0, Source.TRUTH if exact else Source.OBSERVED)


def _spans(frames: int, length: int, overlap: int) -> tuple[ChunkSpan, ...]:
    if length <= 0 or length >= frames:
        return (ChunkSpan(0, frames),)
    starts = range(0, max(frames - overlap, 1), max(length - overlap, 1))
    return tuple(ChunkSpan(a, min(length, frames - a)) for a in starts)
