"""DexMan's neural finger IK in plain numpy: fingertips in the wrist frame in, joint angles out, frame by frame.

DexMan (3.3) trains a 5-layer MLP from the fingertips' positions to the joint angles. The network here speaks of a canonical
right hand (the sheets' roles and signs), so that one file serves both sides where they mirror; its outputs are shares of the
joints' ranges, so the limits hold by construction. `net_training` makes the files.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from reenact.errors import SetupError
from reenact.retarget.finger_methods.hand import HandModel

WEIGHTS = Path(__file__).parent / "weights"
"""The networks that come with the package."""
SAME_LIMIT, SAME_TIP = 2e-3, 3e-3
"""Two hands are the same to a network when joint limits (rad) and fingertips (m) differ by less than this."""


class NoFingerNet(SetupError):
    """No network was trained for this hand."""


@dataclass(frozen=True)
class NetConfig:
    """Which network."""

    weights: Path | None = None
    """A file made by `reenact train fingers`; the one that fits among those of the package when None."""


@dataclass(frozen=True)
class CanonicalHand:
    """A hand's free joints finger by finger, with the signs of its sheet, as a right hand."""

    columns: tuple[int, ...]
    """Column of x of each canonical joint."""
    signs: Float64[np.ndarray, " n"]
    lower: Float64[np.ndarray, " n"]
    upper: Float64[np.ndarray, " n"]
    mirror: Float64[np.ndarray, "c=3"]
    """Factors that turn wrist coordinates of this side into those of a right hand."""

    def to_x(self, share: Float64[np.ndarray, "*b n"]) -> Float64[np.ndarray, "*b n"]:
        """Free joints from shares (0..1) of the canonical ranges."""
        out = np.empty(share.shape)
        out[..., list(self.columns)] = (self.lower + share * (self.upper - self.lower)) * self.signs
        return out

    def to_share(self, x: Float64[np.ndarray, "*b n"]) -> Float64[np.ndarray, "*b n"]:
        """Shares of the canonical ranges from free joints."""
        return (x[..., list(self.columns)] * self.signs - self.lower) / (self.upper - self.lower)


def canonical_hand(model: HandModel) -> CanonicalHand:
    """How the model's free joints are seen by a network."""
    at = {int(j): k for k, j in enumerate(model.joints.joint_idx)}
    columns, signs = [], []
    for finger in model.hand.fingers:
        for j, sign in zip(finger.joint_idx, finger.signs, strict=True):
            if int(j) in at and at[int(j)] not in columns:
                columns.append(at[int(j)])
                signs.append(float(sign))
    factor = np.array(signs)
    ends = np.sort(np.stack([model.lower[columns], model.upper[columns]]) * factor, axis=0)
    mirror = np.array([1.0 if model.side == "right" else -1.0, 1.0, 1.0])
    return CanonicalHand(tuple(columns), factor, ends[0], ends[1], mirror)


def hand_shape(model: HandModel) -> tuple[Float64[np.ndarray, "e=2 n"], Float64[np.ndarray, "p f 3"]]:
    """What tells hands apart: canonical joint ranges, and fingertips at a few canonical postures."""
    canonical = canonical_hand(model)
    share = np.random.default_rng(0).uniform(size=(6, len(canonical.columns)))
    tips = model.points(canonical.to_x(share))[:, : model.n_fingers] * canonical.mirror
    return np.stack([canonical.lower, canonical.upper]), tips


@dataclass(frozen=True)
class FingerNet:
    """A trained network and the hand it was trained for."""

    weights: tuple[Float64[np.ndarray, "_ _"], ...]
    """Of each layer, [in out]."""
    biases: tuple[Float64[np.ndarray, " _"], ...]
    tip_mean: Float64[np.ndarray, " i"]
    tip_scale: float
    limits: Float64[np.ndarray, "e=2 n"]
    shape_tips: Float64[np.ndarray, "p f 3"]

    def share(self, tips: Float64[np.ndarray, "*b f 3"]) -> Float64[np.ndarray, "*b n"]:
        """Shares (0..1) of the canonical joint ranges from canonical fingertips."""
        h = (tips.reshape(*tips.shape[:-2], -1) - self.tip_mean) / self.tip_scale
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            h = h @ W + b
            h = h * _sigmoid(h)
        return _sigmoid(h @ self.weights[-1] + self.biases[-1])

    def fits(self, model: HandModel) -> bool:
        """Whether it was trained for this hand (or its mirror image)."""
        limits, tips = hand_shape(model)
        return bool(
            limits.shape == self.limits.shape
            and tips.shape == self.shape_tips.shape
            and np.abs(limits - self.limits).max() < SAME_LIMIT
            and np.abs(tips - self.shape_tips).max() < SAME_TIP
        )


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def net_joints(
    model: HandModel, tips: Float64[np.ndarray, "t f 3"], config: NetConfig
) -> Float64[np.ndarray, "t n"]:
    """Free joints from wanted fingertips in the wrist frame (m). Raises `NoFingerNet`."""
    net, canonical = find_net(model, config), canonical_hand(model)
    x = canonical.to_x(net.share(tips * canonical.mirror))
    return np.clip(x, model.lower, model.upper)


def find_net(model: HandModel, config: NetConfig) -> FingerNet:
    """The configured network, or the package's that fits. Raises `NoFingerNet`."""
    paths = [config.weights] if config.weights is not None else sorted(WEIGHTS.glob("*.safetensors"))
    for path in paths:
        net = load_net(path)
        if net.fits(model):
            return net
    tried = ", ".join(path.name for path in paths) or "none"
    raise NoFingerNet(
        f"no finger network fits the {model.side} hand of {model.robot.name} (tried: {tried})",
        hint=f"train one in minutes: reenact train fingers --robot {model.robot.name} --side {model.side}",
    )


@functools.lru_cache(maxsize=16)
def load_net(path: Path) -> FingerNet:
    """Reads a network. Raises `NoFingerNet` when the file is missing or is none."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = {key: value.astype(float) for key, value in load(path.read_bytes()).items()}
        layers = sum(key.startswith("weight_") for key in data)
        return FingerNet(
            tuple(data[f"weight_{k}"] for k in range(layers)),
            tuple(data[f"bias_{k}"] for k in range(layers)),
            data["tip_mean"],
            float(data["tip_scale"][0]),
            data["limits"],
            data["shape_tips"],
        )
    except (OSError, SafetensorError, KeyError) as error:
        raise NoFingerNet(
            f"{path} is no finger network: {error}", hint="make one with `reenact train fingers`"
        ) from error


def save_net(path: Path, net: FingerNet, about: dict[str, str]) -> None:
    """Writes a network in half precision, with words about how it was made in the file's header."""
    from safetensors.numpy import save

    arrays = {f"weight_{k}": np.ascontiguousarray(W, np.float16) for k, W in enumerate(net.weights)}
    arrays |= {f"bias_{k}": np.ascontiguousarray(b, np.float32) for k, b in enumerate(net.biases)}
    arrays |= {
        "tip_mean": net.tip_mean,
        "tip_scale": np.array([net.tip_scale]),
        "limits": net.limits,
        "shape_tips": net.shape_tips,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save(arrays, metadata=about))
