"""Vector-neuron layers: features are lists of 3-vectors `[..., 3, c]`; rotating all of them commutes with every layer.

After Deng et al. 2021 (Vector Neurons). Linear maps mix channels and have no bias; nonlinearity, normalisation and
attention use only lengths and inner products. The (3, c) memory layout keeps every product one plain matrix product.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

EPS = 1e-6


class VnLinear(nn.Linear):
    """Mixes channels; no bias, for a constant vector would not rotate."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, bias=False)


class VnReLU(nn.Module):
    """Directional leaky ReLU: what points against a learned direction is mostly taken away.

    `x - (1 - slope) * min(<x, k>, 0) / <k, k> * k`. (The published code scales x by leaky-ReLU(|x|) / |x|, which is 1.)
    """

    def __init__(self, channels_in: int, channels_out: int, slope: float = 0.1) -> None:
        super().__init__()
        self.value = VnLinear(channels_in, channels_out)
        self.direction = VnLinear(channels_in, channels_out)
        self.slope = slope

    def forward(self, x: Float[Tensor, "*b 3 c"]) -> Float[Tensor, "*b 3 d"]:
        """Linear map, then the nonlinearity."""
        v, k = self.value(x), self.direction(x)
        against = torch.clamp((v * k).sum(-2, keepdim=True), max=0.0)
        return v - (1.0 - self.slope) * against / ((k * k).sum(-2, keepdim=True) + EPS) * k


class VnNorm(nn.Module):
    """Divides by the rms length over channels; one gain per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x: Float[Tensor, "*b 3 c"]) -> Float[Tensor, "*b 3 c"]:
        """Same shape."""
        square = 3.0 * (x * x).mean(dim=(-1, -2), keepdim=True)
        return x * torch.rsqrt(square + EPS) * self.gain


class VnAttention(nn.Module):
    """Self-attention by inner products of vectors, plus learned invariant time terms; masked keys are not seen."""

    def __init__(self, channels: int, heads: int, time_features: int, time_width: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = VnLinear(channels, 3 * channels)
        self.time_qk = nn.Linear(time_features, 2 * heads * time_width, bias=False)
        self.out = VnLinear(channels, channels)
        self.scale = (3 * channels // heads) ** -0.5

    def forward(
        self, x: Float[Tensor, "b n 3 c"], time: Float[Tensor, "b n f"], seen: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b n 3 c"]:
        """Same shape; rows of unseen tokens are computed but reach no seen one."""
        b, n, _, c = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, 3, self.heads, c // self.heads).unbind(3)
        q, k, v = (t.permute(0, 3, 1, 2, 4).reshape(b, self.heads, n, -1) for t in (q, k, v))
        tq, tk = self.time_qk(time).view(b, n, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        logits = torch.cat([q * self.scale, tq], -1) @ torch.cat([k, tk], -1).transpose(-1, -2)
        logits = logits.masked_fill(~seen[:, None, None, :], -1e9)
        mixed = (logits.softmax(-1) @ v).view(b, self.heads, n, 3, -1)
        return self.out(mixed.permute(0, 2, 3, 1, 4).reshape(b, n, 3, c))


class VnBlock(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, channels: int, heads: int, hidden: int, time_features: int) -> None:
        super().__init__()
        self.norm_a, self.norm_b = VnNorm(channels), VnNorm(channels)
        self.attention = VnAttention(channels, heads, time_features)
        self.widen = VnReLU(channels, hidden)
        self.narrow = VnLinear(hidden, channels)

    def forward(
        self, x: Float[Tensor, "b n 3 c"], time: Float[Tensor, "b n f"], seen: Bool[Tensor, "b n"]
    ) -> Float[Tensor, "b n 3 c"]:
        """Same shape."""
        x = x + self.attention(self.norm_a(x), time, seen)
        return x + self.narrow(self.widen(self.norm_b(x)))
