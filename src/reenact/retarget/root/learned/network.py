"""The root flow network: windows of wrist motion and a noisy root in, the velocity of that root out.

Per side five vector channels as published (centred position, three rotation columns, gravity), a linear map per
side, fusion of the sides, transformer layers over time. Then everything is turned into the noisy root's own axes,
where vectors are plain invariant numbers, and an ordinary network says how the root should move in those axes: any
function of the features, exactly equivariant. (Published: so for the rotation; the translation by one linear map.)
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from reenact.retarget.root.learned.config import NetConfig
from reenact.retarget.root.learned.layers import VnBlock, VnLinear, VnNorm
from reenact.retarget.root.learned.windows import Windows

TIME_WAVES = 8
"""Sine and cosine pairs for an instant in a window."""
FLOW_WAVES = 8
"""The same for the flow's own time."""


def waves(x: Float[Tensor, "*b"], count: int, longest: float) -> Float[Tensor, "*b f"]:
    """Sines and cosines with periods `longest`, half of it, a third, ..."""
    angle = x[..., None] * (2.0 * np.pi / longest) * torch.arange(1, count + 1, dtype=x.dtype)
    return torch.cat([angle.sin(), angle.cos()], -1)


class RootFlowNet(nn.Module):
    """Velocity field over root frames, given windows."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        c, time = config.width, 2 * TIME_WAVES + 1
        self.sides = nn.ModuleList([VnLinear(5, c), VnLinear(5, c)])
        self.fuse = VnLinear(2 * c, c)
        self.pattern = nn.Embedding(4, c)
        self.when = nn.Linear(time, c)
        self.blocks = nn.ModuleList(
            [VnBlock(c, config.heads, config.hidden, time) for _ in range(config.layers)]
        )
        self.norm = VnNorm(2 * c)
        if config.root_enters == "tokens":
            self.root = VnLinear(4, c)
            self.root_gain = nn.Linear(2 * FLOW_WAVES, c)
        w = config.head_width
        self.enter = nn.Linear(6 * c + 7 + 2 * FLOW_WAVES, w)
        self.head = nn.ModuleList([_Residual(w) for _ in range(config.head_blocks)])
        last = nn.Linear(w, 6)
        self.leave = nn.Sequential(nn.LayerNorm(w), last)
        nn.init.ones_(self.pattern.weight)
        nn.init.zeros_(last.weight)

    def encode(self, clip: ClipTensors, root: tuple[Tensor, Tensor] | None = None) -> Float[Tensor, "b 3 c"]:
        """What a window says, as vectors: a summary token and the mean of all tokens.

        Args:
            clip: the windows.
            root: vectors [b 3 4] (direction to the base's origin in metres, base axes) and flow time [b]; given only
                if the root enters by the tokens.
        """
        sides = [linear(clip.vectors[:, :, s]) for s, linear in enumerate(self.sides)]
        x = self.fuse(torch.cat(sides, -1)) * self.pattern(clip.pattern)[:, :, None]
        x = x * (1.0 + self.when(clip.time)[:, :, None])
        if root is not None:
            gain = self.root_gain(waves(root[1], FLOW_WAVES, 2.0))
            x = x + (self.root(root[0]) * gain[:, None])[:, None]
        weight = clip.seen.to(x.dtype)
        weight = (weight / weight.sum(1, keepdim=True).clamp(min=1.0))[..., None, None]
        x = torch.cat([(x * weight).sum(1, keepdim=True), x], 1)
        seen = torch.cat([torch.ones_like(clip.seen[:, :1]), clip.seen], 1)
        time = torch.cat([torch.zeros_like(clip.time[:, :1]), clip.time], 1)
        for block in self.blocks:
            x = block(x, time, seen)
        return self.norm(torch.cat([x[:, 0], (x[:, 1:] * weight).sum(1)], -1))

    def velocity(
        self,
        clip: ClipTensors,
        encoded: Float[Tensor, "b 3 c"] | None,
        R: Float[Tensor, "b d 3 3"],
        y: Float[Tensor, "b d 3"],
        time: Float[Tensor, "b d"],
        centre_scale: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Float[Tensor, "b d 3"], Float[Tensor, "b d 3"]]:
        """Body angular velocity and velocity of y at noisy roots.

        `encoded` is what `encode` gave; None where the root enters by the tokens (then `centre_scale`, mean and
        sigma of y in metres, is needed to place the base).
        """
        b = len(time)
        if encoded is None:
            encoded = self._encode_with_roots(clip, R, y, time, centre_scale)
        features = (R.transpose(-1, -2) @ encoded.view(b, -1, 3, encoded.shape[-1])).flatten(2)
        up = (R.transpose(-1, -2) @ clip.up[:, None, :, None])[..., 0]
        known = (up.abs().sum(-1, keepdim=True) > 0).to(up.dtype)
        h = self.enter(torch.cat([features, y, up, known, waves(time, FLOW_WAVES, 2.0)], -1))
        for block in self.head:
            h = block(h)
        spin, drift = self.leave(h).split(3, -1)
        return spin, drift

    def _encode_with_roots(
        self,
        clip: ClipTensors,
        R: Tensor,
        y: Tensor,
        time: Tensor,
        centre_scale: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        assert centre_scale is not None, "the root enters by the tokens: give the scale of y"
        b, d = time.shape
        mean, sigma = centre_scale
        origin = -(R @ (mean + sigma * y)[..., None]) / self.config.position_scale
        vectors = torch.cat([origin, R], -1).view(b * d, 3, 4)
        return self.encode(clip.repeated(d), (vectors, time.reshape(-1)))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h: Float[Tensor, "*b w"]) -> Float[Tensor, "*b w"]:
        """Same shape."""
        out: Tensor = h + self.second(nn.functional.silu(self.first(self.norm(h))))
        return out


class ClipTensors:
    """Windows as the network's input: centred, scaled, invalid rows zero."""

    vectors: Float[Tensor, "b n 2 3 5"]
    pattern: Float[Tensor, "b n"]
    seen: Bool[Tensor, "b n"]
    time: Float[Tensor, "b n f"]
    up: Float[Tensor, "b 3"]

    def __init__(self, vectors: Tensor, pattern: Tensor, seen: Tensor, time: Tensor, up: Tensor) -> None:
        self.vectors, self.pattern, self.seen, self.time, self.up = vectors, pattern, seen, time, up

    @classmethod
    def of(cls, windows: Windows, config: NetConfig, dtype: torch.dtype = torch.float32) -> ClipTensors:
        """From windows in any frame; only the centring is done in double precision."""
        T, valid = windows.T_world_wrist, windows.valid
        centred = (T[..., :3, 3] - windows.centre()[:, None, None]) / config.position_scale
        up = np.broadcast_to(windows.up[:, None, None], centred.shape)
        vectors = np.concatenate([centred[..., None], T[..., :3, :3], up[..., None]], axis=-1)
        vectors = np.where(valid[..., None, None], vectors, 0.0)
        t = torch.from_numpy(windows.seconds).to(dtype)
        time = torch.cat([waves(t, TIME_WAVES, 4.0), torch.ones_like(t)[..., None]], -1)
        return cls(
            torch.from_numpy(vectors).to(dtype),
            torch.from_numpy(valid[..., 0] + 2 * valid[..., 1].astype(np.int64)),
            torch.from_numpy(valid.any(axis=2)),
            time,
            torch.from_numpy(windows.up).to(dtype),
        )

    def repeated(self, times: int) -> ClipTensors:
        """Every window `times` times in a row."""
        parts = (self.vectors, self.pattern, self.seen, self.time, self.up)
        return ClipTensors(*(p.repeat_interleave(times, 0) for p in parts))
