"""A toy clip whose truth is known: make one, blur its hands as a real net would, reconstruct, and see how far off it is.

python examples/04_toy_clip_with_truth.py [OUT]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from reenact.perception.hands.truth import TruthHands, TruthHandsConfig
from reenact.quality.truth import measure_scene
from reenact.refine.hands.reconstruct import reconstruct_hands
from reenact.toy.clip import make_clip
from reenact.toy.config import ToyConfig


def main(out: Path, config: ToyConfig) -> None:
    toy = make_clip(config, out)
    truth = toy.scene
    assert truth.hands is not None
    seen = TruthHands(
        truth.hands, truth.camera, TruthHandsConfig(jitter=0.01, rel_jitter=0.004, dropout=0.1)
    ).landmarks()
    result = reconstruct_hands(seen, truth.camera, truth.clip.t_ns)
    errors = measure_scene(replace(truth, hands_raw=result.raw, hands=result.refined), truth)
    for name, e in (("per frame", errors.raw), ("refined", errors.refined)):
        assert e is not None
        print(f"{name}: wrist {e.wrist_lateral_cm:.2f} cm sideways, {e.wrist_depth_cm:.2f} cm in depth")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/toy"), ToyConfig(activity="pick_place", seed=3))
