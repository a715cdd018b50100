"""What came of a run, in a few numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from reenact.pipeline.run_item import Failure, ItemResult

SOME_QUARANTINED = 7
"""Exit code where some items, or all for unlike reasons, failed."""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """Counts of one run over many items."""

    done: int
    """Items with all stages finished."""
    quarantined: Mapping[str, Failure]
    """Item id -> why it failed."""
    stage_seconds: Mapping[str, float]
    """Sum of wall seconds per stage, over the items it was run for."""
    stages_run: Mapping[str, int]
    """How many items each stage was run for."""
    stages_reused: Mapping[str, int]
    """How many items each stage was found finished for."""

    @property
    def exit_code(self) -> int:
        """0 if nothing failed; the failures' own code if all items failed with the same; else 7."""
        if not self.quarantined:
            return 0
        codes = {failure.exit_code for failure in self.quarantined.values()}
        return codes.pop() if not self.done and len(codes) == 1 else SOME_QUARANTINED

    def lines(self) -> list[str]:
        """For people."""
        rows = [f"{self.done} done, {len(self.quarantined)} quarantined"]
        for stage in {**self.stages_run, **self.stages_reused}:
            run, reused = self.stages_run.get(stage, 0), self.stages_reused.get(stage, 0)
            rows.append(
                f"  {stage}: {run} run in {self.stage_seconds.get(stage, 0.0):.2f} s, {reused} found finished"
            )
        for item_id, failure in self.quarantined.items():
            hint = f" ({failure.hint})" if failure.hint else ""
            rows.append(f"  {item_id}: {failure.stage or 'source'}: {failure.error}: {failure.message}{hint}")
        return rows


@dataclass
class Tally:
    """Adds up results while a run goes on; its size grows with failures and stages, not with items."""

    done: int = 0
    quarantined: dict[str, Failure] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)
    run: Counter[str] = field(default_factory=Counter)
    reused: Counter[str] = field(default_factory=Counter)

    def add(self, result: ItemResult) -> None:
        """Count one item."""
        self.run.update(name for name in result.seconds if name not in result.reused)
        self.reused.update(result.reused)
        for name, seconds in result.seconds.items():
            self.seconds[name] += seconds  # type: ignore[assignment]
        if result.failure is None:
            self.done += 1
        else:
            self.quarantined[result.item_id] = result.failure

    def summary(self) -> RunSummary:
        """The counts so far."""
        return RunSummary(
            done=self.done,
            quarantined=dict(self.quarantined),
            stage_seconds=dict(self.seconds),
            stages_run=dict(self.run),
            stages_reused=dict(self.reused),
        )
