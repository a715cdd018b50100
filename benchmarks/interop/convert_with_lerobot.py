"""Our v2.1 folder through lerobot 0.4.4's own converter to v3.0, then read back; run in lerobot's own environment.

    lerobot-env/bin/python benchmarks/interop/convert_with_lerobot.py DATASET_V21

Works on a copy. Exit code 0 only when the converter accepts the folder and every frame of the result can be read.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    args = parser.parse_args()
    from lerobot.datasets.v30.convert_dataset_v21_to_v30 import convert_dataset

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "local" / "set"
        shutil.copytree(args.dataset, copy)
        convert_dataset("local/set", root=folder, push_to_hub=False)
        reader = Path(__file__).with_name("read_with_lerobot.py")
        return subprocess.run([sys.executable, reader, copy]).returncode


if __name__ == "__main__":
    sys.exit(main())
