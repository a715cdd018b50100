"""How high the table is found to be without depth, and whether the stated sigma covers the error.

Toy clips, all activities, two views; true masks with ragged edges; hands that are all too near or too far by one factor
per clip, drawn from a log-normal of 6 % (which is also their stated sigma).

    python benchmarks/support_plane.py --clips FOLDER [--seeds 3,4]
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from object_pose import TABLE, evidence_of, toy_clip

from reenact.geometry.transforms import apply, inverse
from reenact.refine.calibration.support import SupportConfig
from reenact.scene import HandTracks
from reenact.stages.support import find_support
from reenact.toy.activities.catalogue import ACTIVITIES

SPREAD = 0.06


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--seeds", default="3,4")
    args = parser.parse_args()
    print("| view | seed | activity | hands too far by | camera above table, m | table off by, cm | stated sigma, cm | "
          "off / sigma | from |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    ratios, errors = [], []
    for view_idx, view in enumerate(("exo", "ego")):
        for seed in map(int, args.seeds.split(",")):
            for idx, activity in enumerate(ACTIVITIES):
                rng = np.random.default_rng([seed, idx, view_idx])
                factor = float(np.exp(SPREAD * rng.normal()))
                error, sigma, drop, origin = one(args.clips, activity, seed, view, factor)
                print(f"| {view} | {seed} | {activity} | {factor - 1:+.1%} | {drop:.2f} | {error * 100:+.1f} | "
                      f"{sigma * 100:.1f} | {error / sigma:+.1f} | {origin} |", flush=True)  # fmt: skip
                ratios.append(error / sigma)
                errors.append(abs(error))
    known = np.array([r for r in ratios if np.isfinite(r)])
    print(f"\nFound in {len(known)} of {len(ratios)}; |off| / sigma < 2 in {(np.abs(known) < 2).mean():.0%}, < 1 in "
          f"{(np.abs(known) < 1).mean():.0%}, root mean square {np.sqrt((known**2).mean()):.2f}; off by "
          f"{np.nanmedian(errors) * 100:.1f} cm (median), {np.nanmax(errors) * 100:.1f} cm (worst).")  # fmt: skip


def one(clips: Path, activity: str, seed: int, view: str, factor: float) -> tuple[float, float, float, str]:
    """Error, stated sigma (m; NaN without a plane), camera's height above the table, origin."""
    clip = toy_clip(clips, activity, seed, view)
    objects = clip.scene.objects
    assert objects is not None
    travel = np.linalg.norm(np.ptp(objects.T_world_object[:, :, :3, 3], axis=0), axis=1)
    evidence = evidence_of(clip, [int(i) for i in np.flatnonzero(travel > 0.02)], "default")
    T = clip.scene.camera.scene_T_camera()
    assert clip.scene.hands is not None
    evidence = dataclasses.replace(
        evidence, hands=too_far(clip.scene.hands, T, factor), support=None, points=None
    )
    plane = find_support(evidence, SupportConfig())[0]
    drop = float(T[0, 2, 3]) - TABLE
    if not plane.valid:
        return np.nan, np.nan, drop, "-"
    return plane.offset - TABLE, plane.sigma_offset, drop, plane.origin


def too_far(hands: HandTracks, T_world_camera: np.ndarray, factor: float) -> HandTracks:
    """All hands farther by the factor; they state a spread of 6 %."""
    local = np.asarray(apply(inverse(T_world_camera)[:, None], hands.joints_world)) * factor
    z = np.abs(local[..., 0, 2])
    sigma = np.stack([np.full_like(z, 0.005), np.full_like(z, 0.005), SPREAD * z], -1)
    joints = np.asarray(apply(T_world_camera[:, None], local))
    return dataclasses.replace(hands, joints_world=joints, sigma_camera=sigma)


if __name__ == "__main__":
    main()
