"""Weights files and their cards: which robot's arms they know, how they were made, and whether they are intact.

A card is JSON beside a safetensors file of the same stem. It names the arms by what they do, not by name: joint
limits and the wrist poses of a few fixed postures. A robot whose arms move the same way but carry the wrist frame
elsewhere (another hand on the same arm) shares the weights: the constant offset between the two wrist frames turns
one robot's wrist poses into the other's exactly.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float64
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from reenact.geometry.transforms import inverse
from reenact.hands.joints import SIDES
from reenact.records.files import atomic_file
from reenact.retarget.chains import WristChain
from reenact.retarget.root.learned.config import TrainRootConfig
from reenact.retarget.root.learned.errors import BadRootWeights, NoRootWeights

WEIGHTS = Path(__file__).parent / "weights"
"""Shipped weights: `<robot>.safetensors` and `<robot>.json`."""
VERSION = 1
"""Of the card's form and of what the tensors mean."""
PROBES = 4
"""Postures per arm in a card."""
SAME = 1e-4
"""Wrist poses (m, matrix entries) and limits (rad) closer than this are the same."""

C = TypeVar("C")


@dataclass(frozen=True)
class RootWeights:
    """Trained tensors (float32) with their card."""

    tensors: dict[str, np.ndarray]
    card: dict[str, Any]
    path: Path

    @property
    def config(self) -> TrainRootConfig:
        """The settings they were trained with."""
        return from_plain(TrainRootConfig, self.card["config"])


def from_plain(cls: type[C], values: dict[str, Any]) -> C:
    """A config dataclass from what `dataclasses.asdict` and JSON made of it."""
    hints = typing.get_type_hints(cls)
    given = {}
    for f in dataclasses.fields(cls):  # type: ignore[arg-type]
        if f.name in values:
            value = values[f.name]
            if dataclasses.is_dataclass(hints[f.name]):
                value = from_plain(hints[f.name], value)
            given[f.name] = tuple(value) if isinstance(value, list) else value
    return cls(**given)


def arms_words(chains: tuple[WristChain | None, WristChain | None]) -> dict[str, Any]:
    """What a card says of the arms: limits and wrist poses at fixed postures, per side."""
    return {
        SIDES[s]: {
            "lower": np.round(chain.lower, 6).tolist(),
            "upper": np.round(chain.upper, 6).tolist(),
            "T_base_wrist": np.round(_probe(chain), 7).tolist(),
        }
        for s, chain in enumerate(chains)
        if chain is not None
    }


def _probe(chain: WristChain) -> np.ndarray:
    share = np.random.default_rng(20).uniform(0.1, 0.9, (PROBES, len(chain.lower)))
    return chain.fk(chain.lower + share * (chain.upper - chain.lower))


def wrist_offsets(
    card: dict[str, Any], chains: tuple[WristChain | None, WristChain | None]
) -> Float64[np.ndarray, "2 4 4"] | None:
    """`T_wrist_trained` per side: the trained robot's wrist frame in this robot's; None if the arms differ.

    Multiply wanted wrist poses of this robot by it on the right before the network sees them.
    """
    offsets = np.broadcast_to(np.eye(4), (2, 4, 4)).copy()
    for s, chain in enumerate(chains):
        words = card["arms"].get(SIDES[s])
        if (words is None) != (chain is None):
            return None
        if words is None or chain is None:
            continue
        limits = [np.array(words[k]) for k in ("lower", "upper")]
        if len(limits[0]) != len(chain.lower):
            return None
        if max(np.abs(limits[0] - chain.lower).max(), np.abs(limits[1] - chain.upper).max()) > SAME:
            return None
        moved = inverse(_probe(chain)) @ np.array(words["T_base_wrist"])
        if np.abs(moved - moved[0]).max() > SAME:
            return None
        offsets[s] = moved[0]
    return offsets


def save_root_weights(path: Path, tensors: dict[str, np.ndarray], card: dict[str, Any]) -> Path:
    """Writes the tensors as float16 and their card beside them, each whole or not at all; tensors first."""
    content = save_tensors({k: np.ascontiguousarray(v, np.float16) for k, v in sorted(tensors.items())})
    words = {
        "version": VERSION,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "dtype": "float16",
        **card,
    }
    with atomic_file(path) as beside:
        beside.write_bytes(content)
    with atomic_file(path.with_suffix(".json")) as beside:
        beside.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    return path


def load_root_weights(path: Path) -> RootWeights:
    """Reads weights and card.

    Raises:
        NoRootWeights: no such file.
        BadRootWeights: the card is missing, not readable or of another version, or the hash does not match it.
    """
    card_path = path.with_suffix(".json")
    if not path.is_file():
        raise NoRootWeights(
            f"no weights file {path}", hint="reenact train root --robot NAME --out FILE makes one"
        )
    if not card_path.is_file():
        raise BadRootWeights(f"{path.name} has no card {card_path.name} beside it", hint="copy both files")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadRootWeights(f"{card_path.name} is not JSON: {error}", hint="copy it again") from error
    missing = [k for k in ("version", "sha256", "robot", "arms", "config", "centre") if k not in card]
    if missing or card["version"] != VERSION:
        raise BadRootWeights(
            f"{card_path.name}: version {card.get('version')}, missing {missing}",
            hint=f"this build reads version {VERSION}; train again",
        )
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != card["sha256"]:
        raise BadRootWeights(
            f"{path.name} has hash {digest[:12]}, its card says {card['sha256'][:12]}",
            hint="the file is damaged or belongs to another card",
        )
    try:
        tensors = {k: v.astype(np.float32) for k, v in load_tensors(content).items()}
    except SafetensorError as error:
        raise BadRootWeights(f"{path.name} is no safetensors file: {error}", hint="train again") from error
    return RootWeights(tensors, card, path)


def find_root_weights(
    robot_name: str,
    chains: tuple[WristChain | None, WristChain | None],
    path: Path | None = None,
) -> tuple[RootWeights, Float64[np.ndarray, "2 4 4"]]:
    """Weights that know these arms, and the wrist offsets to use them with; the robot's own before shared ones.

    Args:
        robot_name: for the order of trying and for messages.
        chains: the robot's arms.
        path: look at this file only.

    Raises:
        NoRootWeights: none fit; the message names the robots that have some and the command that makes some.
        BadRootWeights: the file is damaged.
    """
    files = [path] if path is not None else sorted(WEIGHTS.glob("*.safetensors"))
    files.sort(key=lambda f: f.stem != robot_name)
    for file in files:
        weights = load_root_weights(file)
        offsets = wrist_offsets(weights.card, chains)
        if offsets is not None:
            return weights, offsets
    known = ", ".join(f.stem for f in sorted(files, key=str)) or "none"
    raise NoRootWeights(
        f"no trained root weights fit the arms of {robot_name}; there are some for: {known}, and robots with the same arms",
        hint=f"train them: reenact train root --robot {robot_name}; or use root method 'search'",
    )
