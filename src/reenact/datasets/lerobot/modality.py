"""What other trainers want beside the data: GR00T's `modality.json` and a mapping for openpi.

GR00T slices `observation.state` and `action` into named parts; ours are the body's parts, from the joints' names.
openpi's transforms rename columns to its own keys; which ones is a choice of ours, written in `openpi.json`.
"""

from __future__ import annotations

import re
from typing import Any

STATE, ACTION = "observation.state", "action"
OPENPI_WIDTH = 32
"""Numbers openpi's action head holds (pi0, pi0.5)."""
OPENPI_SLOTS = ("base_0_rgb", "left_wrist_0_rgb", "right_wrist_0_rgb")
HAND_WORDS = r"thumb|index|middle|ring|pinky|little|finger|hand(?!le)|(?:^|_)(?:ff|mf|rf|lf|th)j\d"
GRIPPER_WORDS = r"gripper|jaw|claw"
LEG_WORDS = r"hip|knee|ankle|leg|foot|wheel"
TRUNK_WORDS = r"waist|torso|neck|head|spine"


def modality(info: dict[str, Any]) -> dict[str, Any]:
    """`meta/modality.json` for a dataset with this `info.json`."""
    features = info["features"]
    out: dict[str, Any] = {}
    for name, column in (("state", STATE), ("action", ACTION)):
        if column in features:
            spans = body_parts(flat_names(features[column]))
            out[name] = {part: {"start": start, "end": end} for part, start, end in spans}
    videos = [k for k, f in features.items() if f["dtype"] == "video"]
    out["video"] = {k.removeprefix("observation.images."): {"original_key": k} for k in videos}
    words = [k for k in features if k.startswith("annotation.")]
    out["annotation"] = {k.removeprefix("annotation."): {} for k in words}
    return out


def openpi_mapping(info: dict[str, Any]) -> dict[str, Any]:
    """`meta/openpi.json`: `repack` is openpi's key -> our column, as its RepackTransform takes it."""
    features = info["features"]
    videos = [k for k, f in features.items() if f["dtype"] == "video"]
    width = features[ACTION]["shape"][0] if ACTION in features else 0
    repack = {"state": STATE, "actions": ACTION, "prompt": "task"}
    repack = {k: v for k, v in repack.items() if v == "task" or v in features}
    chosen = _slots(videos)
    notes = []
    if width > OPENPI_WIDTH:
        notes.append(
            f"action has {width} numbers, openpi's head holds {OPENPI_WIDTH}: choose columns or set action_dim"
        )
    if unused := sorted(set(videos) - set(chosen.values())):
        notes.append(f"no slot for {', '.join(unused)}")
    return {
        "repack": repack | {f"images/{slot}": key for slot, key in chosen.items()},
        "image_mask": {slot: slot in chosen for slot in OPENPI_SLOTS},
        "action_sequence_keys": [ACTION],
        "prompt_from_task": True,
        "action_dim": width,
        "fits_action_head": width <= OPENPI_WIDTH,
        "actions_are": "absolute",
        "notes": notes,
    }


def flat_names(feature: dict[str, Any]) -> list[str]:
    """Element names of a feature, however a writer nested them; numbered where there are none."""
    names = feature.get("names")
    if isinstance(names, dict):
        names = next((v for v in names.values() if isinstance(v, list)), list(names))
    while names and isinstance(names[0], list):
        names = [n for part in names for n in part]
    width = 1
    for n in feature.get("shape", [1]):
        width *= n
    return [str(n) for n in names] if names else [str(i) for i in range(width)]


def body_parts(names: list[str]) -> list[tuple[str, int, int]]:
    """Runs of columns that belong to one part of the body: (name, start, end). A part met again gets a number."""
    runs: list[tuple[str, int, int]] = []
    for i, name in enumerate(names):
        part = part_of(name)
        if runs and runs[-1][0] == part:
            runs[-1] = (part, runs[-1][1], i + 1)
        else:
            runs.append((part, i, i + 1))
    seen: dict[str, int] = {}
    named = []
    for part, start, end in runs:
        seen[part] = seen.get(part, 0) + 1
        named.append((part if seen[part] == 1 else f"{part}_{seen[part]}", start, end))
    return named


def part_of(name: str) -> str:
    """`left_arm`, `right_hand`, `waist` ... from a joint's name; `joints` where it says nothing."""
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    side = "left" if re.search(r"left|(?:^|_)l(?=_|$|h_)", word) else ""
    side = side or ("right" if re.search(r"right|(?:^|_)r(?=_|$|h_)", word) else "")
    kinds = ((GRIPPER_WORDS, "gripper"), (HAND_WORDS, "hand"), (LEG_WORDS, "leg"), (TRUNK_WORDS, "trunk"))
    kind = next((k for pattern, k in kinds if re.search(pattern, word)), "arm" if side else "joints")
    return f"{side}_{kind}" if side else kind


def _slots(videos: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for key in videos:
        word = key.removeprefix("observation.images.").lower()
        wrist = "wrist" in word or "hand" in word
        slot = OPENPI_SLOTS[0] if not wrist else OPENPI_SLOTS[2 if "right" in word else 1]
        chosen.setdefault(slot, key)
    return dict(sorted(chosen.items()))
