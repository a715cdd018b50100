"""Start-up of the command line against importing its heaviest peer, in one run.

Target (issue 2, point 5): `reenact --help` <= 1.5 x `import mujoco`. Run: `python benchmarks/startup.py`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 7
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import reenact": [sys.executable, "-c", "import reenact"],
    "reenact --help": [sys.executable, "-m", "reenact.cli.main", "--help"],
    "reenact robots --help": [sys.executable, "-m", "reenact.cli.main", "robots", "--help"],
    "reenact run --help": [sys.executable, "-m", "reenact.cli.main", "run", "--help"],
    "import mujoco": [sys.executable, "-c", "import mujoco"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):  # in turn, so that a busy moment strikes all of them
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    peer = medians["import mujoco"]
    print("| command | median s | x import mujoco |\n|---|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:.3f} | {value / peer:.2f} |")


if __name__ == "__main__":
    main()
