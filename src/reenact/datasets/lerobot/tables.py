"""The parquet files of a LeRobot dataset: rolling data files, the episode table, the task table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.lerobot.features import Feature
from reenact.datasets.lerobot.layout import CHUNKS_SIZE, DATA_PATH, IMAGE_BINS
from reenact.datasets.lerobot.statistics import ImageStatistics
from reenact.errors import InputError


class UnreadableTable(InputError):
    """A parquet file that is damaged or holds something else than numbers and words."""


class DataFile:
    """Appends episodes to `data/chunk-*/file-*.parquet`, one row group each, rolling over by size."""

    def __init__(self, root: Path, limit_mb: int) -> None:
        self._root, self._limit = root, limit_mb * 1_000_000
        self._count = -1
        self._writer: Any = None
        self._path = root

    def append(self, features: Sequence[Feature], columns: dict[str, np.ndarray]) -> dict[str, int]:
        """Write one episode; returns its `data/chunk_index` and `data/file_index`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table({f.name: f.column(columns[f.name]) for f in features})
        if self._writer is None or self._path.stat().st_size >= self._limit:
            self.close()
            self._count += 1
            self._path = self._root / DATA_PATH.format(**self._place())
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="snappy")
        self._writer.write_table(table)
        return {f"data/{key}": value for key, value in self._place().items()}

    def _place(self) -> dict[str, int]:
        return {"chunk_index": self._count // CHUNKS_SIZE, "file_index": self._count % CHUNKS_SIZE}

    def close(self) -> None:
        """Finish the open file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def write_rows(path: Path, features: Sequence[Feature], columns: dict[str, np.ndarray]) -> None:
    """One parquet file with the given columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.table({f.name: f.column(columns[f.name]) for f in features}), path, compression="snappy"
    )


def read_columns(path: Path, features: Sequence[Feature]) -> dict[str, np.ndarray]:
    """Columns of a parquet file as arrays [t n]; raises `UnreadableTable`."""
    return table_columns(read_table(path, [f.name for f in features]))


def read_table(path: Path, names: Sequence[str] | None = None) -> Any:
    """A parquet file as an Arrow table; raises `UnreadableTable`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read(None if names is None else list(names))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableTable(
            f"{path.parent.name}/{path.name} cannot be read: {error}", hint="it is cut off or no parquet file"
        ) from error


def table_columns(table: Any) -> dict[str, np.ndarray]:
    """Arrow columns as arrays [t n]; words stay words [t 1]. Raises `UnreadableTable` for rows of unequal width."""
    return {name: _column(table[name], name) for name in table.column_names}


def _column(chunked: Any, name: str) -> np.ndarray:
    import pyarrow as pa

    column = chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0)
    rows = len(column)
    if column.null_count:
        raise UnreadableTable(f"column {name} has {column.null_count} empty cells")
    while pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type):
        column = column.flatten()
    if isinstance(column, pa.ExtensionArray):
        return _column(pa.chunked_array([column.storage]), name)
    if pa.types.is_struct(column.type) or pa.types.is_binary(column.type):
        raise UnreadableTable(f"column {name} holds {column.type}, not numbers")
    flat = column.to_numpy(zero_copy_only=False)
    if rows and len(flat) % rows:
        raise UnreadableTable(f"rows of column {name} differ in width")
    return flat.reshape(rows, -1) if rows else flat.reshape(0, 1)


def write_episodes(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The table of episodes, looked up by position: row i is episode i."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)


def write_image_bins(root: Path, images: Sequence[dict[str, ImageStatistics]]) -> None:
    """Histograms of each episode's pictures, one row per episode and camera."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"episode_index": i, "key": key, "frames": s.frames, "bins": [n for row in s.bins() for n in row]}
        for i, cameras in enumerate(images)
        for key, s in cameras.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), root / IMAGE_BINS, compression="zstd")


def read_image_bins(root: Path) -> dict[tuple[int, str], ImageStatistics]:
    """Inverse of `write_image_bins`; empty where a dataset has none."""
    if not (root / IMAGE_BINS).is_file():
        return {}
    rows = read_table(root / IMAGE_BINS).to_pylist()
    return {
        (r["episode_index"], r["key"]): ImageStatistics.from_bins(
            r["frames"], [r["bins"][k : k + 256] for k in (0, 256, 512)]
        )
        for r in rows
    }


def write_tasks(path: Path, tasks: dict[str, int]) -> None:
    """Task texts and their index; the text is declared as the pandas index, which lerobot's reader relies on."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {"task_index": pa.array(list(tasks.values()), pa.int64()), "task": pa.array(list(tasks))}
    )
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {
                "name": "task_index",
                "field_name": "task_index",
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {
                "name": "task",
                "field_name": "task",
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": None,
            },
        ],
        "pandas_version": "2.0.0",
    }
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), path)
