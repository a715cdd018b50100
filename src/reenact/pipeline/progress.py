"""Telling people, or programs, how far a run is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from tqdm import tqdm

QUIET_S = 0.5
"""Reports from within a stage are passed on at most this often."""


@runtime_checkable
class TextStream(Protocol):
    """What is asked of a text stream: standard error has it, and so has a `StringIO`."""

    def write(self, text: str, /) -> object:
        """Append the text."""

    def flush(self) -> object:
        """Pass on what was written."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""


@runtime_checkable
class Progress(Protocol):
    """Who is told. Every event is a kind and a few plain values."""

    def event(self, kind: str, values: Mapping[str, object]) -> None:
        """Something happened.

        Kinds: run_started(items), stage_started(item, stage), stage_progress(item, stage, done, total),
        stage_done(item, stage, seconds, reused), item_done(item, status), run_done(done, quarantined).
        """


class NoProgress:
    """Says nothing."""

    def event(self, kind: str, values: Mapping[str, object]) -> None:
        """Do nothing."""


class JsonProgress:
    """One JSON object per line."""

    def __init__(self, stream: TextStream | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr

    def event(self, kind: str, values: Mapping[str, object]) -> None:
        """Write one line at once."""
        self._stream.write(json.dumps({"event": kind, **values}) + "\n")
        self._stream.flush()


class BarProgress:
    """A bar over items, with the stage that is running; for a single item, a bar within its stages."""

    def __init__(self, stream: TextStream | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._items: tqdm | None = None

    def event(self, kind: str, values: Mapping[str, object]) -> None:
        """Move or redraw the bar."""
        if kind == "run_started":
            self._items = tqdm(total=values.get("items"), file=self._stream, unit="item", dynamic_ncols=True)
        if self._items is None:
            return
        if kind == "stage_started":
            self._items.set_postfix_str(f"{values['item']}: {values['stage']}")
        elif kind == "stage_progress":
            self._items.set_postfix_str(
                f"{values['item']}: {values['stage']} {values['done']}/{values['total']}"
            )
        elif kind == "item_done":
            self._items.update(1)
            if values["status"] != "done":
                self._items.write(f"{values['item']}: {values['status']}", file=self._stream)
        elif kind == "run_done":
            self._items.close()


def progress_for(stream: TextStream | None = None) -> Progress:
    """A bar where the stream (standard error by default) is a terminal, JSON lines otherwise."""
    stream = stream if stream is not None else sys.stderr
    return BarProgress(stream) if stream.isatty() else JsonProgress(stream)


class StageReport:
    """Passes a stage's own reports on, not more often than people can read; the last one always."""

    def __init__(self, progress: Progress, item_id: str, stage: str) -> None:
        self._progress, self._item_id, self._stage = progress, item_id, stage
        self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` steps of the stage are made."""
        now = time.monotonic()
        if done < total and now - self._last < QUIET_S:
            return
        self._last = now
        self._progress.event(
            "stage_progress", {"item": self._item_id, "stage": self._stage, "done": done, "total": total}
        )
