"""`ChunkSamples`: every frame of a dataset as a training sample: what is seen now, and the next H steps of action."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reenact.datasets.lerobot.folder import EpisodeRow, LeRobotFolder

Sample = dict[str, np.ndarray]


class ChunkSamples:
    """Sample i is a frame of one of the chosen episodes. Numbers of recent episodes are kept, pictures never.

    Steps beyond the end of the episode repeat the last one and are False in `chunk_valid`.
    """

    def __init__(
        self,
        folder: Path,
        horizon: int,
        *,
        episodes: Sequence[int] | None = None,
        columns: Sequence[str] = ("observation.state", "action"),
        pictures: bool = True,
        keep: int = 64,
    ) -> None:
        """`columns`: those named `action` or `action.*` are chunks [H n], the rest are rows [n]."""
        self._folder = LeRobotFolder(folder)
        self.name = self._folder.root.name
        chosen = None if episodes is None else set(episodes)
        self._rows = [r for r in self._folder.rows if chosen is None or r.index in chosen]
        self._ends = np.cumsum([r.length for r in self._rows])
        self._horizon, self._columns, self._pictures, self._keep = horizon, tuple(columns), pictures, keep
        self._held: OrderedDict[int, dict[str, np.ndarray]] = OrderedDict()

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def place(self, i: int) -> tuple[EpisodeRow, int]:
        """Episode and frame of a sample. Raises `IndexError`."""
        if not 0 <= i < len(self):
            raise IndexError(f"sample {i} of {len(self)}")
        k = int(np.searchsorted(self._ends, i, side="right"))
        return self._rows[k], i - (int(self._ends[k - 1]) if k else 0)

    def __getitem__(self, i: int) -> Sample:
        row, frame = self.place(i)
        columns = self._numbers(row)
        steps = frame + np.arange(self._horizon)
        sample: Sample = {"chunk_valid": steps < row.length}
        for name in self._columns:
            values = columns[name]
            is_chunk = name == "action" or name.startswith("action.")
            sample[name] = values[np.minimum(steps, row.length - 1)] if is_chunk else values[frame]
        if self._pictures:
            for key in row.videos:
                for rgb in self._folder.chunk_frames(row, key, frame, 1):
                    sample[key] = rgb
        return sample

    def task(self, i: int) -> str:
        """The words that go with a sample."""
        row, _ = self.place(i)
        return row.tasks[0] if row.tasks else ""

    def _numbers(self, row: EpisodeRow) -> dict[str, np.ndarray]:
        if row.index not in self._held:
            columns = self._folder.columns(row)
            self._held[row.index] = {name: np.array(columns[name]) for name in self._columns}
            if len(self._held) > self._keep:
                self._held.popitem(last=False)
        self._held.move_to_end(row.index)
        return self._held[row.index]
