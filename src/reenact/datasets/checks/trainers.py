"""What single trainers trip over: GR00T's modality.json, the width of openpi's action head."""

from __future__ import annotations

from collections.abc import Iterator

from reenact.datasets.checks.finding import Finding
from reenact.datasets.checks.table import Table
from reenact.datasets.lerobot.layout import read_json
from reenact.datasets.lerobot.modality import ACTION, OPENPI_WIDTH, STATE


def check_trainers(table: Table) -> Iterator[Finding]:
    """`meta/modality.json` where there is one; action width; something to see and to do."""
    features = table.features
    for needed in (STATE, ACTION):
        if needed not in features:
            yield Finding(
                "no-policy-column", f"there is no {needed}: nothing to train a policy on", level="warning"
            )
    if ACTION in features and len(shape := features[ACTION]["shape"]) == 1 and shape[0] > OPENPI_WIDTH:
        yield Finding(
            "action-wide",
            f"action has {shape[0]} numbers; openpi's head holds {OPENPI_WIDTH}",
            level="warning",
        )
    path = table.root / "meta" / "modality.json"
    if path.is_file():
        words = read_json(path)
        for name, column in (("state", STATE), ("action", ACTION)):
            width = features[column]["shape"][0] if column in features else 0
            for part, span in words.get(name, {}).items():
                start, end = int(span["start"]), int(span["end"])
                if not 0 <= start < end <= width:
                    yield Finding(
                        "modality", f"modality.json: {name}.{part} is [{start}, {end}) of {width} numbers"
                    )
        for part, where in words.get("video", {}).items():
            if where.get("original_key", f"observation.images.{part}") not in features:
                yield Finding(
                    "modality",
                    f"modality.json: video {part} is {where.get('original_key')}, which is no column",
                )
        for part in words.get("annotation", {}):
            if f"annotation.{part}" not in features:
                yield Finding("modality", f"modality.json: annotation.{part} is no column")
