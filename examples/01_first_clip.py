"""A video in, metric hands and a moving robot out: the whole of Reenact in one call.

    python examples/01_first_clip.py VIDEO [OUT]

Needs the hand-model files (fetched on first use). Open OUT/<clip>/report.html afterwards.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reenact.stages.plan import RunConfig
from reenact.stages.run import RunRequest, run_clips, whole
from reenact.stages.trajectory import RobotChoice


def main(video: Path, out: Path, config: RunConfig | None = None) -> None:
    robots = [RobotChoice.of("unitree_g1_dex3")]
    request = RunRequest(sources=whole([video]), robots=robots, out=out, config=config or RunConfig())
    outcome = run_clips(request)
    for line in outcome.summary.lines():
        print(line)
    for path in [*outcome.reports.values(), *outcome.datasets.values()]:
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "runs/first"))
