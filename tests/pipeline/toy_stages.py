"""Stages small enough to see through, importable by spawned workers."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_info

from reenact.errors import NoResultError, SetupError
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.stage import Stage, StageCall


@dataclass(frozen=True)
class ToyConfig:
    suffix: str = "!"
    """Appended to the text."""
    sleep_s: float = 0.0
    """Slept between the two output files."""
    log: str = ""
    """File to which every start is written; empty for none."""


def _log(call: StageCall[ToyConfig], name: str) -> None:
    if call.config.log:
        with open(call.config.log, "a", encoding="utf-8") as file:
            file.write(f"{name} {call.out.name.removeprefix('.tmp-')}\n")


def blas_threads(call: StageCall[ToyConfig]) -> None:
    """Writes how many threads each BLAS of the process may use."""
    found = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    (call.out / "threads.json").write_text(json.dumps(found))


def upper(call: StageCall[ToyConfig]) -> None:
    _log(call, "upper")
    text = call.inputs["text"].read_text()
    (call.out / "a.txt").write_text(text.upper())
    time.sleep(call.config.sleep_s)
    (call.out / "b.txt").write_text(text.upper() + call.config.suffix)


def count(call: StageCall[ToyConfig]) -> None:
    _log(call, "count")
    text = (call.inputs["upper"] / "b.txt").read_text()
    time.sleep(call.config.sleep_s)
    (call.out / "sub").mkdir()
    (call.out / "sub" / "count.txt").write_text(str(len(text)))


def join(call: StageCall[ToyConfig]) -> None:
    """Reads two stages; misbehaves when the text tells it to."""
    _log(call, "join")
    text = (call.inputs["upper"] / "b.txt").read_text()
    word = text.split("!")[0].strip()
    if word == "EMPTY":
        raise NoResultError("nothing in it", hint="give another text")
    if word == "BUG":
        raise KeyError("no such thing")
    if word == "EXIT":
        sys.exit(3)
    if word == "SETUP":
        raise SetupError("no model", hint="fetch it")
    if word == "SEGFAULT":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "HANG":
        time.sleep(60)
    if word == "SILENT":
        return
    if word == "FORGE":
        (call.out / "manifest.json").write_text("{}")
        (call.out / "x.txt").write_text("x")
        return
    time.sleep(call.config.sleep_s)
    for i in range(3):
        call.report(i + 1, 3)
    (call.out / "joined.txt").write_text(text + (call.inputs["count"] / "sub" / "count.txt").read_text())


def toy_pipeline(**config: object) -> Pipeline:
    settings = ToyConfig(**config)  # type: ignore[arg-type]
    return Pipeline(
        [
            Stage("join", "1", settings, ("upper", "count"), join),
            Stage("upper", "1", settings, ("text",), upper),
            Stage("count", "1", settings, ("upper",), count),
        ],
        sources=("text",),
    )


def toy_items(folder: Path, words: list[str]) -> list[Item]:
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for i, word in enumerate(words):
        path = folder / f"{i}.txt"
        path.write_text(word)
        items.append(Item(f"{i}-{word}", {"text": path}))
    return items
