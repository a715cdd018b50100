"""The trained network as a sampler of root frames. Imports torch."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64

from reenact.retarget.root.learned.config import FlowConfig
from reenact.retarget.root.learned.flow import CentreScale, sample_roots
from reenact.retarget.root.learned.network import ClipTensors, RootFlowNet
from reenact.retarget.root.learned.weights import RootWeights
from reenact.retarget.root.learned.windows import Windows


class RootEstimator:
    """Samples roots for windows of a clip."""

    def __init__(self, net: RootFlowNet, scale: CentreScale, flow: FlowConfig) -> None:
        self.net, self.scale, self.flow = net.eval(), scale, flow

    @classmethod
    def of(cls, weights: RootWeights) -> RootEstimator:
        """From loaded weights."""
        config = weights.config
        net = RootFlowNet(config.net)
        net.load_state_dict({k: torch.from_numpy(v) for k, v in weights.tensors.items()})
        centre = weights.card["centre"]
        return cls(net, CentreScale(np.array(centre["mean"]), np.array(centre["sigma"])), config.flow)

    def sample(
        self, windows: Windows, draws: int, rng: np.random.Generator
    ) -> Float64[np.ndarray, "b d 4 4"]:
        """`draws` roots per window. Same windows and generator state, same roots."""
        dtype = next(self.net.parameters()).dtype
        with torch.no_grad():
            clip = ClipTensors.of(windows, self.net.config, dtype)
            encoded = self.net.encode(clip) if self.net.config.root_enters == "head" else None

            def velocity(R: np.ndarray, y: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                noisy = [torch.from_numpy(x).to(dtype) for x in (R, y, time)]
                scale = scale_tensors(self.scale, dtype)
                spin, drift = self.net.velocity(clip, encoded, noisy[0], noisy[1], noisy[2], scale)
                return spin.double().numpy(), drift.double().numpy()

            return sample_roots(velocity, windows, self.scale, draws, self.flow, rng)


def scale_tensors(scale: CentreScale, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and sigma of y for the network."""
    return torch.from_numpy(scale.mean).to(dtype), torch.from_numpy(scale.sigma).to(dtype)
