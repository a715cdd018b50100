"""Trains the neural finger IK of one hand in simulation, on one core in minutes. Needs torch (extra `learn`).

DexMan (3.3) says: supervised, 5-layer MLP, fingertips to joint angles. Random postures of the robot's own hand give
fingertips with known angles; random human hands give the fingertips it will be asked for, reachable or not. As several
postures share the same tips, the loss is mostly how far the predicted posture's tips are off (forward kinematics inside
the loss), and only lightly how far its angles are: from the known ones for robot postures, from the direct angle map for
human ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from reenact.errors import SetupError
from reenact.hands.joints import TIPS
from reenact.hands.skeleton import HandSkeleton
from reenact.retarget.finger_map import bend_map
from reenact.retarget.finger_methods.hand import HandModel
from reenact.retarget.finger_methods.net import CanonicalHand, FingerNet, canonical_hand, hand_shape
from reenact.retarget.finger_methods.tips import wanted_tips

if TYPE_CHECKING:
    import torch


HAND_LENGTHS = (0.170, 0.175, 0.180, 0.185, 0.190, 0.195, 0.200, 0.205)
"""Adult hands drawn from (m); population spread about 6 % of 0.189."""


class NoTorch(SetupError):
    """Training needs torch."""


@dataclass(frozen=True)
class TrainConfig:
    """How a finger network is trained."""

    width: int = 160
    """Units of each of the four hidden layers."""
    minutes: float = 4.0
    """Longest time (min). Where it binds, fewer steps are made and the result depends on the machine's speed."""
    steps: int = 6000
    """Gradient steps; the learning rate falls to nothing over them (or over the time, if that ends sooner)."""
    batch: int = 512
    """Postures per step, half of them robot ones, half human ones."""
    pool: int = 100_000
    """Postures of each kind drawn beforehand."""
    rate: float = 2e-3
    """Highest learning rate of Adam."""
    sigma_tip: float = 0.005
    """Tip error worth one unit (m)."""
    sigma_own: float = 0.7
    """Angle error worth one unit for the robot's own postures (rad)."""
    sigma_map: float = 0.5
    """Distance from the angle map worth one unit for human postures (rad)."""
    seed: int = 0


@dataclass(frozen=True)
class TrainReport:
    """What came out: mean fingertip error (m) on postures not trained on, and the curve (step, loss)."""

    own_tip_error: float
    human_tip_error: float
    steps: int
    seconds: float
    curve: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Pool:
    """Fingertips asked for and reference shares, canonical."""

    tips: Float64[np.ndarray, "p f 3"]
    share: Float64[np.ndarray, "p n"]


def train_net(
    model: HandModel, config: TrainConfig | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[FingerNet, TrainReport]:
    """A network for one hand. Raises `NoTorch`."""
    torch, config = _torch(), config or TrainConfig()
    started, rng = time.perf_counter(), np.random.default_rng(config.seed)
    torch.manual_seed(config.seed)
    canonical = canonical_hand(model)
    pools = (own_pool(model, canonical, config.pool, rng), human_pool(model, canonical, config.pool, rng))
    mean = pools[1].tips.reshape(config.pool, -1).mean(axis=0)
    scale = 0.05
    mlp = _mlp(torch, mean.size, config.width, len(canonical.columns))
    fk = TorchFingers(torch, model, canonical)
    data = [(_tensor(torch, p.tips), _tensor(torch, p.share)) for p in pools]
    span = _tensor(torch, canonical.upper - canonical.lower)
    sigmas = (config.sigma_own, config.sigma_map)
    optimiser = torch.optim.Adam(mlp.parameters(), lr=config.rate)
    generator = torch.Generator().manual_seed(config.seed)
    centre, curve, step = _tensor(torch, mean), [], 0
    for step in range(1, config.steps + 1):
        loss = torch.zeros(())
        for (tips, share), sigma in zip(data, sigmas, strict=True):
            pick = torch.randint(len(tips), (config.batch // 2,), generator=generator)
            wanted = tips[pick]
            guess = torch.sigmoid(mlp((wanted.flatten(1) - centre) / scale))
            off = (fk(guess) - wanted).square().sum(-1) / config.sigma_tip**2
            tilt = ((guess - share[pick]) * span / sigma).square()
            loss = loss + (torch.sqrt(1.0 + off) - 1.0).mean() + tilt.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        done = max(step / config.steps, (time.perf_counter() - started) / (60.0 * config.minutes))
        for group in optimiser.param_groups:
            group["lr"] = config.rate * _share_of_rate(step, done)
        if step % 500 == 0 or step == 1:
            value = float(loss.detach())
            curve.append((step, round(value, 4)))
            say(f"step {step}: loss {value:.3f}, {time.perf_counter() - started:.0f} s")
        if done >= 1.0:
            break
    net = _freeze(mlp, mean, scale, model)
    fresh = np.random.default_rng([config.seed, 1])
    errors = [
        _tip_error(model, canonical, net, pool)
        for pool in (own_pool(model, canonical, 4000, fresh), human_pool(model, canonical, 4000, fresh))
    ]
    return net, TrainReport(errors[0], errors[1], step, time.perf_counter() - started, tuple(curve))


def _share_of_rate(step: int, done: float) -> float:
    """A short rise, then half a cosine to zero."""
    return float(min(step / 200.0, 1.0) * 0.5 * (1.0 + np.cos(np.pi * min(done, 1.0))))


def own_pool(model: HandModel, canonical: CanonicalHand, count: int, rng: np.random.Generator) -> Pool:
    """Postures of the robot's hand: half anywhere in the ranges, half each finger closed by one random share."""
    n = len(canonical.columns)
    share = rng.uniform(size=(count, n))
    half = count // 2
    closed = rng.uniform(size=(half, model.n_fingers))
    share[:half] = closed[:, _finger_of(model, canonical)] + rng.normal(size=(half, n)) * 0.15
    share = np.clip(share, 0.0, 1.0)
    tips = model.points(canonical.to_x(share))[:, : model.n_fingers]
    return Pool(tips * canonical.mirror, share)


def human_pool(model: HandModel, canonical: CanonicalHand, count: int, rng: np.random.Generator) -> Pool:
    """Random human hands of adult sizes: what they ask for, and the angle map's answer."""
    side = 1 if model.side == "right" else 0
    angles = human_angles(count, rng)
    tips = np.empty((count, 5, 3))
    which = rng.integers(0, len(HAND_LENGTHS), count)
    for k, size in enumerate(HAND_LENGTHS):
        some = which == k
        tips[some] = HandSkeleton.adult(side, size).joints_wrist(angles[some])[:, list(TIPS)]
    mapped = model.read(bend_map(model.robot, model.hand, angles))
    return Pool(wanted_tips(model.hand, tips) * canonical.mirror, canonical.to_share(mapped))


def human_angles(count: int, rng: np.random.Generator) -> Float64[np.ndarray, "p 20"]:
    """Finger angles of hands that open, close, point and pinch: a common bend, each finger's own, and some spread."""
    common = rng.uniform(-0.1, 1.1, (count, 1))
    own = rng.uniform(-0.1, 1.1, (count, 5))
    mix = rng.uniform(size=(count, 1))
    bend = np.clip(mix * common + (1 - mix) * own, -0.1, 1.1)
    angles = np.zeros((count, 20))
    for finger in range(5):
        ends = (0.7, 0.8, 1.2) if finger == 0 else (1.4, 1.7, 1.1)
        for k, most in zip((0, 2, 3), ends, strict=True):
            angles[:, 4 * finger + k] = most * np.clip(
                bend[:, finger] + rng.normal(size=count) * 0.15, -0.15, 1.1
            )
        angles[:, 4 * finger + 1] = rng.normal(size=count) * (0.3 if finger == 0 else 0.12)
    return angles


def _finger_of(model: HandModel, canonical: CanonicalHand) -> list[int]:
    """Finger that each canonical joint belongs to."""
    joints = model.joints.joint_idx[list(canonical.columns)]
    return [next(k for k, f in enumerate(model.hand.fingers) if j in f.joint_idx) for j in joints]


class TorchFingers:
    """Fingertips from canonical shares as a product of exponentials, differentiable."""

    def __init__(self, torch: Any, model: HandModel, canonical: CanonicalHand) -> None:
        self.torch = torch
        at_zero = model.joint_axes()
        self.to_q = _tensor(
            torch, model.joints.matrix[model.joints.moved][:, list(canonical.columns)] * canonical.signs
        )
        self.offset = _tensor(torch, model.robot.coupling_offset[model.joints.moved])
        self.lower, self.span = (
            _tensor(torch, canonical.lower),
            _tensor(torch, canonical.upper - canonical.lower),
        )
        self.mirror = _tensor(torch, canonical.mirror)
        row = {int(j): k for k, j in enumerate(model.joints.moved)}
        self.chains = [
            [
                (row[j], _tensor(torch, at_zero.axis[j]), _tensor(torch, at_zero.anchor[j]))
                for j in model.joints_to_tip(k)
                if j in row
            ]
            for k in range(model.n_fingers)
        ]
        self.tips = [_tensor(torch, tip) for tip in at_zero.tips]

    def __call__(self, share: torch.Tensor) -> torch.Tensor:
        """Canonical fingertips [b f 3]."""
        torch = self.torch
        q = (self.lower + share * self.span) @ self.to_q.T + self.offset
        out = []
        for chain, tip in zip(self.chains, self.tips, strict=True):
            p = tip.expand(len(q), 3)
            for row, axis, anchor in reversed(chain):
                arm, angle = p - anchor, q[:, row, None]
                along = (arm @ axis)[:, None] * axis
                p = anchor + along + torch.cos(angle) * (arm - along)
                p = p + torch.sin(angle) * torch.linalg.cross(axis.expand_as(arm), arm)
            out.append(p)
        return torch.stack(out, dim=1) * self.mirror


def _mlp(torch: Any, inputs: int, width: int, outputs: int) -> Any:
    layers: list[Any] = []
    for before in (inputs, width, width, width):
        layers += [torch.nn.Linear(before, width), torch.nn.SiLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, outputs))


def _freeze(mlp: Any, mean: np.ndarray, scale: float, model: HandModel) -> FingerNet:
    """The network as it will be read from its file, rounded to half precision."""
    linear = [layer for layer in mlp if hasattr(layer, "weight")]
    limits, tips = hand_shape(model)
    return FingerNet(
        tuple(layer.weight.detach().numpy().T.astype(np.float16).astype(float) for layer in linear),
        tuple(layer.bias.detach().numpy().astype(float) for layer in linear),
        mean,
        scale,
        limits,
        tips,
    )


def _tip_error(model: HandModel, canonical: CanonicalHand, net: FingerNet, pool: Pool) -> float:
    x = canonical.to_x(net.share(pool.tips))
    tips = model.points(x)[:, : model.n_fingers] * canonical.mirror
    return float(np.linalg.norm(tips - pool.tips, axis=-1).mean())


def _tensor(torch: Any, values: np.ndarray) -> Any:
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise NoTorch(
            "training needs torch, which is not installed", hint="pip install 'reenact[learn]'"
        ) from error
    return torch
