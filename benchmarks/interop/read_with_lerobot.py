"""Read a dataset folder back with lerobot itself, every frame; run in lerobot's own environment.

    python -m venv lerobot-env && lerobot-env/bin/pip install lerobot==0.4.4
    lerobot-env/bin/python benchmarks/interop/read_with_lerobot.py DATASET [--repo-id local/name]

Checks: length, every row's numbers finite, timestamps on the grid, every video frame decoded at the right size, and
that nothing but observation.* and action* would reach a policy. Exit code 0 only when all of it holds. lerobot is not a
dependency of ours; nothing here imports reenact.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--backend", default="pyav", help="video decoder: pyav or torchcodec")
    args = parser.parse_args()

    import lerobot
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    from lerobot.datasets.utils import dataset_to_policy_features

    info = json.loads((args.dataset / "meta" / "info.json").read_text())
    start = time.perf_counter()
    data = LeRobotDataset("local/reenact", root=args.dataset, video_backend=args.backend)
    assert len(data) == info["total_frames"], (len(data), info["total_frames"])
    assert data.num_episodes == info["total_episodes"]
    cameras = data.meta.video_keys
    for i in range(len(data)):
        item = data[i]
        for key, value in item.items():
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                assert torch.isfinite(value).all(), (i, key)
        grid = float(item["frame_index"]) / info["fps"]
        assert abs(float(item["timestamp"]) - grid) < 1e-4, (i, float(item["timestamp"]), grid)
        for key in cameras:
            height, width, _ = info["features"][key]["shape"]
            assert tuple(item[key].shape) == (3, height, width), (i, key, item[key].shape)
            assert 0.0 <= float(item[key].min()) <= float(item[key].max()) <= 1.0
    seconds = time.perf_counter() - start
    policy = sorted(dataset_to_policy_features(data.meta.features))
    assert all(k.startswith(("observation.", "action")) for k in policy), policy
    print(
        f"lerobot {lerobot.__version__} ({args.backend}): {len(data)} frames of {data.num_episodes} episodes, all read"
    )
    print(f"robot {info['robot_type']}, policy sees {policy}, {len(data) / seconds:.0f} frames/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
