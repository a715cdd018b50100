"""Statistics of whole datasets and of several together: one pass, batch by batch, memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.lerobot.folder import LeRobotFolder
from reenact.datasets.lerobot.statistics import RunningStatistics
from reenact.datasets.lerobot.tables import UnreadableTable, table_columns

BATCH_ROWS = 8192


def set_statistics(
    batches: Iterable[dict[str, np.ndarray]], names: Iterable[str] | None = None
) -> dict[str, RunningStatistics]:
    """Statistics of every numeric column over batches of columns [t n]."""
    found: dict[str, RunningStatistics] = {}
    wanted = None if names is None else set(names)
    for batch in batches:
        for name, values in batch.items():
            if values.dtype.kind in "fiub" and (wanted is None or name in wanted):
                found.setdefault(name, RunningStatistics()).add(values)
    return found


def batches_of(folder: Path, names: Iterable[str] | None = None) -> Iterator[dict[str, np.ndarray]]:
    """A dataset's rows, `BATCH_ROWS` at a time. Raises `UnreadableTable`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = None if names is None else list(names)
    for path in sorted((LeRobotFolder(folder).root / "data").glob("chunk-*/*.parquet")):
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=wanted):
                    yield table_columns(pa.Table.from_batches([batch]))
        except (pa.ArrowException, OSError) as error:
            raise UnreadableTable(f"{path.name} cannot be read: {error}") from error


def merge_statistics(parts: Iterable[dict[str, RunningStatistics]]) -> dict[str, RunningStatistics]:
    """Several sources as one stream; a column that only some have counts where it is."""
    total: dict[str, RunningStatistics] = {}
    for part in parts:
        for name, stats in part.items():
            total.setdefault(name, RunningStatistics()).merge(stats)
    return total
