"""All retarget comparisons in one go, same input, same machine, one core.

    python benchmarks/retarget/run.py [--shared PATH] [--peers PYTHON] [--parts fingers,finger_peers,arms,roots]

`--peers` is the interpreter of an environment that holds the peers; a peer that is missing is skipped with the reason:

    python -m venv PEERS && PEERS/bin/pip install torch==2.13.0
    PEERS/bin/pip install pytorch-kinematics dex-retargeting six mink daqp quadprog "qpsolvers[daqp]"

Times are CPU seconds of one thread, the least of two or three runs. Without `--peers` only our own columns are filled.
`methods.py` (clip x robot, ours and mink inside `retarget`) and `pictures.py` (postures) are run by themselves.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import arms
import finger_peers
import fingers
import roots
from threadpoolctl import threadpool_limits

PARTS = ("fingers", "finger_peers", "arms", "roots")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[3] / "shared")
    parser.add_argument("--peers", type=Path, default=None, help="Python of the peers' environment")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--clips", type=int, default=10, help="clips per set of the arms' comparison")
    parser.add_argument("--only", default="", help="only hands or robots whose name contains this")
    args = parser.parse_args()
    parts = {
        "fingers": lambda: fingers.compare(args.shared, args.only),
        "finger_peers": lambda: finger_peers.compare(args.peers, args.shared, args.only),
        "arms": lambda: arms.compare(args.peers, args.clips),
        "roots": lambda: roots.compare(args.only),
    }
    with threadpool_limits(1):
        for name in args.parts.split(","):
            print(f"\n== {name}", flush=True)
            for line in parts[name]():
                print(line, flush=True)


if __name__ == "__main__":
    main()
