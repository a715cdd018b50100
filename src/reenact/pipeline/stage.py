"""A stage: what is run, from what, and what it may touch."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from reenact.pipeline.canonical import plain
from reenact.pipeline.errors import StageGraphError
from reenact.pipeline.keys import stage_key

Config = TypeVar("Config")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def report_nothing(done: int, total: int) -> None:
    """A progress report nobody listens to."""


@dataclasses.dataclass(frozen=True)
class StageCall(Generic[Config]):
    """What a stage's function gets. It reads ``inputs``, writes files below ``out``, and nothing else."""

    config: Config
    """The stage's resolved config."""
    inputs: Mapping[str, Path]
    """By input name: the folder of a finished artefact, or the path of a source."""
    out: Path
    """An empty folder to fill; it appears in the store only after the function has returned."""
    report: Callable[[int, int], None] = report_nothing
    """``report(done, total)``, to be called now and then by long stages."""


@dataclasses.dataclass(frozen=True)
class Stage(Generic[Config]):
    """One step from artefacts to one new artefact. ``run`` must be importable by name (workers are spawned)."""

    name: str
    """Lower-case letters, digits and underscores; also the folder's name in the store."""
    version: str
    """Code version: raise it whenever the same inputs would give another result."""
    config: Config
    """A frozen dataclass; see ``canonical`` for what it may hold."""
    inputs: tuple[str, ...]
    """Names of stages and sources that it reads."""
    run: Callable[[StageCall[Config]], None]
    """Fills ``call.out``. A failure is any exception; named ``ReenactError``s are shown to the user as they are."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise StageGraphError(
                f"a stage cannot be called {self.name!r}", hint="lower case, digits, underscore"
            )
        if not self.version:
            raise StageGraphError(f"stage {self.name} has no version", hint="any text, e.g. '1'")
        parameters: Any = getattr(self.config, "__dataclass_params__", None)
        if parameters is None or not parameters.frozen or isinstance(self.config, type):
            raise StageGraphError(
                f"the config of stage {self.name} is no frozen dataclass but a {type(self.config).__name__}",
                hint="use @dataclass(frozen=True) and pass an instance",
            )
        plain(self.config, f"{self.name}.config")  # complain now, not in the middle of a run

    def key(self, keys: Mapping[str, str]) -> str:
        """Content key, given the keys of everything made so far."""
        return stage_key(self.name, self.version, self.config, {name: keys[name] for name in self.inputs})
