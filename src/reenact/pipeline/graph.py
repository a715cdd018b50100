"""Stages in an order in which they can run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import Any

from reenact.pipeline.errors import StageGraphError
from reenact.pipeline.stage import Stage


class Pipeline:
    """A checked set of stages over named sources.

    Raises on construction:
        StageGraphError: a name twice, an unknown input, or a circle.
    """

    def __init__(self, stages: Iterable[Stage[Any]], sources: Iterable[str] = ("video",)) -> None:
        self.sources = tuple(sources)
        listed = tuple(stages)
        counts = Counter([*self.sources, *(stage.name for stage in listed)])
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise StageGraphError(f"a name is used twice: {', '.join(twice)}", hint="give each stage its own")
        by_name = {stage.name: stage for stage in listed}
        known = set(by_name) | set(self.sources)
        for stage in listed:
            for name in stage.inputs:
                if name not in known:
                    raise StageGraphError(
                        f"stage {stage.name} reads {name!r}, which nothing makes",
                        hint=f"known: {', '.join(sorted(known))}",
                    )
        self.stages = tuple(by_name[name] for name in _order(by_name))

    def __getitem__(self, name: str) -> Stage[Any]:
        for stage in self.stages:
            if stage.name == name:
                return stage
        known = ", ".join(stage.name for stage in self.stages)
        raise StageGraphError(f"no stage {name!r}", hint=f"known: {known}")

    def upto(self, names: Iterable[str]) -> Pipeline:
        """Only the named stages and those they need."""
        needed: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in needed and name not in self.sources:
                needed.add(name)
                todo.extend(self[name].inputs)
        return Pipeline((stage for stage in self.stages if stage.name in needed), self.sources)

    def with_all_after(self, names: Iterable[str]) -> frozenset[str]:
        """The named stages and all that read from them, directly or not."""
        found = {self[name].name for name in names}
        for stage in self.stages:
            if found.intersection(stage.inputs):
                found.add(stage.name)
        return frozenset(found)


def _order(by_name: dict[str, Stage[Any]]) -> list[str]:
    """Inputs first; among free stages the order given."""
    waiting = {name: {i for i in stage.inputs if i in by_name} for name, stage in by_name.items()}
    try:
        TopologicalSorter(waiting).prepare()
    except CycleError as error:
        raise StageGraphError(
            f"stages wait for each other in a circle: {' -> '.join(error.args[1])}"
        ) from error
    order: list[str] = []
    while len(order) < len(by_name):
        order.append(next(n for n in by_name if n not in order and waiting[n] <= set(order)))
    return order
