"""The dataset card (`README.md`): what is inside, whose it is, under which licence, and how good, as histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.lerobot.tables import read_table, table_columns

BLOCKS = " ▁▂▃▄▅▆▇█"
BINS = 10
NO_LICENCE = "not stated"


def write_card(root: Path, info: dict[str, Any], provenance: dict[str, Any]) -> None:
    """Write `README.md` of a finished dataset folder."""
    (root / "README.md").write_text(card_text(root, info, provenance), encoding="utf-8")


def card_text(root: Path, info: dict[str, Any], provenance: dict[str, Any]) -> str:
    """The card. Hub readers need the first block: tag LeRobot and where the data files are."""
    lines = ["---", "tags:", "- LeRobot", "- robotics", "configs:", "- config_name: default"]
    lines += ["  data_files: data/*/*.parquet", "---", "", "# Made by Reenact", ""]
    lines.append(
        f"Robot `{info['robot_type']}`, {info['total_episodes']} episodes, {info['total_frames']} frames at "
        f"{info['fps']} Hz, LeRobotDataset {info['codebase_version']}."
    )
    lines += ["Units, frames, joint order, sources and versions: `meta/reenact.json`.", ""]
    sources = _sources(provenance)
    if sources:
        lines += ["## Sources and licences", "", "| source | episodes | licence |", "|---|---|---|"]
        lines += [f"| {name} | {count} | {licence} |" for (name, licence), count in sources.items()]
        lines += ["", "Check the terms of every source before you pass anything on.", ""]
    lines += ["## Columns", "", "| column | type | shape |", "|---|---|---|"]
    lines += [f"| {k} | {f['dtype']} | {tuple(f['shape'])} |" for k, f in info["features"].items()]
    lines += ["", "## Quality", "", "| what | least | histogram | most |", "|---|---|---|---|"]
    lines += [f"| {name} | {low:.4g} | `{bars}` | {high:.4g} |" for name, low, bars, high in _quality(root)]
    return "\n".join(lines) + "\n"


def _sources(provenance: dict[str, Any]) -> Counter[tuple[str, str]]:
    clips = provenance.get("clips", {})
    found: Counter[tuple[str, str]] = Counter()
    for episode in provenance.get("episodes", []):
        clip = {**clips.get(episode["id"], {}), **episode}
        if name := clip.get("source"):
            found[str(name), str(clip.get("licence", clip.get("hands_licence", NO_LICENCE)))] += 1
    return found


def _quality(root: Path) -> Iterable[tuple[str, float, str, float]]:
    """Rows of the table: name, least, bars, most. Reads one file at a time."""
    lengths: list[float] = []
    bins: dict[str, np.ndarray] = {}
    spans: dict[str, tuple[float, float]] = {}
    for path in sorted((root / "data").glob("*/*.parquet")):
        columns = table_columns(read_table(path))
        _, counts = np.unique(columns["episode_index"], return_counts=True)
        lengths += counts.tolist()
        for name, values in columns.items():
            if name.endswith((".confidence", "valid")):
                numbers = values.astype(float)
                bins[name] = bins.get(name, 0) + np.histogram(numbers, BINS, (0, 1))[0]
                low, high = spans.get(name, (np.inf, -np.inf))
                spans[name] = (min(low, float(numbers.min())), max(high, float(numbers.max())))
    yield "frames per episode", min(lengths), _bars(np.histogram(lengths, BINS)[0]), max(lengths)
    for name in sorted(bins):
        low, high = spans[name]
        yield f"{name} (0 to 1)", low, _bars(bins[name]), high


def _bars(counts: np.ndarray) -> str:
    most = max(int(counts.max()), 1)
    return "".join(BLOCKS[int(np.ceil(8 * n / most))] for n in counts)
