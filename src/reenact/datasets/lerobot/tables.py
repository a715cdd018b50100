"""The parquet files of a LeRobot dataset: rolling data files, the episode table, the task table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.lerobot.features import Feature


class DataFile:
    """Appends episodes to `data/chunk-*/file-*.parquet`, one row group each, rolling over by size."""

    def __init__(self, root: Path, template: str, limit_mb: int, chunks_size: int) -> None:
        self._root, self._template = root, template
        self._limit, self._chunks_size = limit_mb * 1_000_000, chunks_size
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
            self._path = self._root / self._template.format(**self._place())
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="snappy")
        self._writer.write_table(table)
        return {f"data/{key}": value for key, value in self._place().items()}

    def _place(self) -> dict[str, int]:
        return {
            "chunk_index": self._count // self._chunks_size,
            "file_index": self._count % self._chunks_size,
        }

    def close(self) -> None:
        """Finish the open file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def write_episodes(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The table of episodes, looked up by position: row i is episode i."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)


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
