"""Options of the actions of `reenact data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class ImportOptions:
    """Options of `reenact data import`."""

    paths: tyro.conf.Positional[tuple[Path, ...]]
    """Files or folders of a published set."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Where the dataset goes."""
    reader: str = ""
    """Name of the format; "" recognises it."""
    pictures: Path | None = None
    """Where the videos or pictures lie, if not beside the source; for our own scenes the folder of the run's videos."""
    version: Literal["v3.0", "v2.1"] = "v3.0"
    """Layout."""
    fps: int = 0
    """Frames per second; 0 takes the source's own."""
    width: int = 640
    """Width of the pictures (px); frames are scaled to fit and padded."""
    height: int = 480
    """Height of the pictures (px)."""
    codec: Literal["h264", "av1"] = "h264"
    """Video codec."""
    objects: bool = True
    """Write object poses; --no-objects where episodes have different ones."""
    policy: bool = True
    """For people's hands: also write state and action in the unified action space."""
    ego: Literal["source", "virtual", "auto"] = "source"
    """Camera the wrists are told from: the source's, a virtual one at the person's eyes, or that one where the source's
    stands opposite (auto)."""
    append: bool = False
    """Add to the dataset that is there; episodes it has already are not added again. It keeps its layout and codec."""
    json: bool = False
    """Print one JSON object instead of words."""


@dataclass(frozen=True)
class ExportOptions:
    """Options of `reenact data export`."""

    dataset: tyro.conf.Positional[Path]
    """A LeRobot dataset, v3.0 or v2.1."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Where the new one goes."""
    to: Literal["v3.0", "v2.1"] = "v3.0"
    """Layout; v2.1 comes with modality.json (GR00T) and openpi.json."""
    openpi: bool = False
    """Write openpi.json for v3.0 too."""
    codec: Literal["keep", "h264", "av1"] = "keep"
    """keep copies the coded pictures; another codec encodes them anew."""
    episodes: tuple[int, ...] = ()
    """Only these episodes, by index."""
    json: bool = False
    """Print one JSON object instead of words."""


@dataclass(frozen=True)
class MergeOptions:
    """Options of `reenact data merge`."""

    datasets: tyro.conf.Positional[tuple[Path, ...]]
    """Two or more datasets of one robot, rate, picture size and set of columns."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Where the merged one goes."""
    to: Literal["v3.0", "v2.1"] = "v3.0"
    """Layout."""
    json: bool = False
    """Print one JSON object instead of words."""


@dataclass(frozen=True)
class StatsOptions:
    """Options of `reenact data stats`."""

    datasets: tyro.conf.Positional[tuple[Path, ...]]
    """Datasets; each is measured alone and all together."""
    columns: tuple[str, ...] = ("observation.state", "action")
    """Columns to measure."""
    json: bool = False
    """Print one JSON object instead of words."""


@dataclass(frozen=True)
class DataValidateOptions:
    """Options of `reenact data validate`."""

    datasets: tyro.conf.Positional[tuple[Path, ...]]
    """Datasets to check."""
    fix: bool = False
    """Repair what is certain: counts, indices, times, spans, statistics. Nothing else is touched."""
    videos: bool = True
    """Decode every frame; --no-videos looks at the numbers only."""
    json: bool = False
    """Print one JSON object instead of words."""


@dataclass(frozen=True)
class DataViewOptions:
    """Options of `reenact data view`."""

    dataset: tyro.conf.Positional[Path]
    """The dataset."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("sheet.html")
    """The page to write."""
    most: int = 60
    """At most this many episodes."""
    json: bool = False
    """Print one JSON object instead of words."""
