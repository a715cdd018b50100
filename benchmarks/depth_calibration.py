"""Depth and hands made to agree, on toy clips with exact truth: scales recovered, hands' distance before and after.

The chain is the product's own: noisy landmarks (1 % of the hand's box, relative landmarks 4 mm and 15 % too small) make
hands of an assumed adult length (189 mm; the toy people's are 170 to 208 mm), noisy depth and true outlines calibrate.

    OMP_NUM_THREADS=1 python benchmarks/depth_calibration.py [--seeds 2] [--first-seed 0] [--cache PATH]

Depth kinds: `sensor` 1 % white noise, 1 % off; `drifting` the same, each frame off by another 2 %; `relative` unknown
scale, 2 % noise, each frame 2 % off; `chunks` as relative, in chunks of 12 frames that share 4, each with a scale (20 %)
and a shift (5 cm) of its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from reenact.geometry.transforms import apply, inverse
from reenact.perception.depth.stored import StoredDepth
from reenact.perception.depth.truth import ARBITRARY, TruthDepth, TruthDepthConfig
from reenact.perception.hands.truth import TruthHandsConfig
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.run_item import run_item
from reenact.pipeline.store import ArtefactStore
from reenact.records import load_record, record_exists
from reenact.refine.calibration.hand_depth import joint_median_shift
from reenact.rendering.mesh_depth import View
from reenact.scene import CameraTrack, HandTracks, MaskLabel, MetricScales
from reenact.stages.camera import CameraConfig
from reenact.stages.clip import Segment
from reenact.stages.depth import DepthConfig
from reenact.stages.found import FoundConfig
from reenact.stages.landmarks import LandmarksConfig
from reenact.stages.masks import MasksConfig
from reenact.stages.placing import PlacingConfig
from reenact.stages.plan import RunConfig, plan
from reenact.stages.points import PointsConfig
from reenact.stages.seeing import SeeingConfig
from reenact.toy.activities.catalogue import ACTIVITIES
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig

KINDS = {
    "sensor": TruthDepthConfig(noise=0.01, bias=0.01),
    "drifting": TruthDepthConfig(noise=0.01, bias=0.01, frame_scale=0.02),
    "relative": TruthDepthConfig(noise=0.02, frame_scale=0.02, metric=False),
    "chunks": TruthDepthConfig(noise=0.02, frame_scale=0.02, metric=False, chunk_frames=12, chunk_overlap=4),
}
CAMERAS = ("static", "orbit", "handheld")


def clips(first: int, seeds: int, cache: Path) -> list[ToyClip]:
    """Small clips of every activity; the hand's length turns with the seed."""
    out = []
    for k in range(first, first + seeds):
        for i, activity in enumerate(sorted(ACTIVITIES)):
            length = float(np.random.default_rng([k, i]).uniform(0.170, 0.208))
            config = ToyConfig(activity=activity, seed=k, fps_hz=10.0, duration_s=4.0, width_px=320, height_px=240,
                               samples=0, shadows=False, clutter=1, hand_length=round(length, 4),
                               camera_motion=CAMERAS[(i + k) % 3])  # fmt: skip
            folder = cache / f"{activity}-{k}"
            out.append(ToyClip(folder) if (folder / "truth").is_dir() else make_clip(config, folder))
    return out


def calibrated(clip: ToyClip, kind: TruthDepthConfig, out: Path) -> dict[str, Path]:
    """The product's stages up to `depth`; folders by stage name."""
    seed = clip.config.seed
    landmarks = TruthHandsConfig(seed=seed, jitter=0.01, rel_jitter=0.004, rel_scale=0.85, bias_px=0.5)
    config = RunConfig(
        camera=CameraConfig(backend="truth"), landmarks=LandmarksConfig(backend="truth", truth=landmarks),
        objects="auto", seeing=SeeingConfig(FoundConfig("truth"), MasksConfig("truth"), PointsConfig("truth")),
        placing=PlacingConfig(depth=DepthConfig(backend="truth", truth=kind)),
    )  # fmt: skip
    stages = plan(config, [], with_truth=True).stages
    names = [s.name for s in stages]
    pipeline = Pipeline(stages[: names.index("depth") + 1], ("video", "segment", "truth"))
    Segment("toy").write(out / "segment.json")
    sources = {"video": clip.video_path, "segment": out / "segment.json", "truth": clip.folder / "truth"}
    store = ArtefactStore(out / "store")
    result = run_item(pipeline, Item("toy", sources), store)
    assert result.failure is None, result.failure
    return {s.name: store.folder(s.name, result.keys[s.name]) for s in pipeline.stages}


def hand_errors(clip: ToyClip, folders: dict[str, Path]) -> dict[str, np.ndarray]:
    """Distance from the camera, estimated over true, less one, per hand and frame of each way."""
    truth, camera = clip.scene, load_record(CameraTrack, folders["camera"], "camera")
    before = load_record(HandTracks, folders["hands"], "hands")
    moved = record_exists(folders["depth"], "hands_depth")
    after = load_record(HandTracks, folders["depth"], "hands_depth") if moved else before
    ways = {"before": before, "render": after}
    z = {name: _local(h, camera)[..., 2].mean(axis=2) for name, h in ways.items()}
    true = _local(truth.hands, truth.camera)
    both = before.valid & truth.hands.valid
    out = {name: (values / true[..., 2].mean(axis=2) - 1)[both] for name, values in z.items()}
    place = {
        name: np.linalg.norm(_local(h, camera) - true, axis=-1).mean(axis=2)[both] for name, h in ways.items()
    }
    out |= {f"{name} place": values for name, values in place.items()}
    out["length before"] = before.hand_length / truth.hands.hand_length - 1
    out["length render"] = after.hand_length / truth.hands.hand_length - 1
    out["sigma"] = (after.sigma_camera[..., 2] / true[..., 2].mean(axis=2))[both]
    local, seed, seed_place = _local(before, camera), [], []
    with StoredDepth(folders["depth"]) as depth:
        view = View.of(camera.params, camera.width_px, camera.height_px)
        for k, s in zip(*np.nonzero(both), strict=True):
            found = depth(int(k))
            shift = (
                joint_median_shift(local[k, s], found[0], view).shift if found is not None else np.zeros(3)
            )
            seed.append((local[k, s] + shift)[:, 2].mean() / true[k, s, :, 2].mean() - 1)
            seed_place.append(np.linalg.norm(local[k, s] + shift - true[k, s], axis=1).mean())
    return out | {"joint median": np.array(seed), "joint median place": np.array(seed_place)}


def _local(hands: HandTracks, camera: CameraTrack) -> np.ndarray:
    return np.asarray(apply(inverse(camera.scene_T_camera())[:, None], hands.joints_world))


def depth_errors(
    clip: ToyClip, folders: dict[str, Path], kind: TruthDepthConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Per frame: stored over true depth less one inside hands and objects, and the same of the depth as given."""
    given = TruthDepth(clip.depth, len(clip.scene.clip.t_ns), kind)
    unit = 1.0 if kind.metric else ARBITRARY
    after, before = [], []
    with StoredDepth(folders["depth"]) as depth:
        for k in range(len(clip.scene.clip.t_ns)):
            label, true, found, raw = clip.mask(k), clip.depth(k), depth(k), given.frame(k)
            near = ((label == 1) | (label == 2) | (label >= MaskLabel.FIRST_OBJECT)) & (true > 0)
            if found is None or raw is None or near.sum() < 50:
                continue
            after.append(float(np.median(found[0][near] / true[near]) - 1))
            before.append(float(np.median(raw.values[near] * unit / true[near]) - 1))
    return np.array(after), np.array(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path("runs/depth_calibration"))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    args = parser.parse_args()
    made = clips(args.first_seed, args.seeds, args.cache / "clips")
    hand_rows, depth_rows = [], []
    for name in args.kinds:
        kind, sums, scales, near = KINDS[name], {}, [], []
        for clip in made:
            out = args.cache / "runs" / clip.folder.name
            out.mkdir(parents=True, exist_ok=True)
            folders = calibrated(clip, kind, out)
            for key, values in hand_errors(clip, folders).items():
                sums.setdefault(key, []).append(values)
            record = load_record(MetricScales, folders["depth"], "scales")
            true = 1.0 / (1 + kind.bias) if kind.metric else ARBITRARY
            rows = {
                o: (v / true - 1, s)
                for o, v, s in zip(record.origins, record.value, record.sigma_relative, strict=True)
            }
            length = (
                load_record(HandTracks, folders["hands"], "hands").hand_length[0] / clip.config.hand_length
            )
            rows["own"] = (rows["hand_skin"][0] + 1) / length - 1, 0.0
            scales.append([rows.get(o, (np.nan, np.nan)) for o in ("hand_skin", "hand_width", "own")])
            near.append(depth_errors(clip, folders, kind))
        s = {key: np.concatenate(values) for key, values in sums.items()}
        hand_rows.append((name, s))
        depth_rows.append((name, np.array(scales), near))
    print(
        "\nHands' distance from the camera (median and 95th percentile of the error), mean joint error, size\n"
    )
    head = ("depth", "before", "joint median (seed)", "render (ours)", "joints, mm: before", "seed", "ours",
            "length, before", "ours", "within 2 sigma")  # fmt: skip
    print_table(head, [hand_row(name, s) for name, s in hand_rows])
    print(
        "\nScale of the depth by the hands (median |error|, worst, stated sigma), and depth inside hands and objects\n"
    )
    head = ("depth", "hand's skin", "the same, had the hand's length been known", "hand's width (B.2)",
            "within 2 sigma (skin)", "frames' depth as given: median / p95", "calibrated")  # fmt: skip
    print_table(head, [depth_row(*row) for row in depth_rows])


def hand_row(name: str, s: dict[str, np.ndarray]) -> list[str]:
    ways = ("before", "joint median", "render")
    far = [spread(s[way]) for way in ways]
    joints = [f"{1e3 * np.median(s[way + ' place']):.0f}" for way in ways]
    sizes = [f"{100 * np.median(abs(s[key])):.1f} %" for key in ("length before", "length render")]
    return [name, *far, *joints, *sizes, f"{np.mean(abs(s['render']) < 2 * s['sigma']):.0%}"]


def depth_row(name: str, scales: np.ndarray, near: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    off = np.abs(scales[..., 0])
    words = [f"{100 * np.nanmedian(x):.1f} %, {100 * np.nanmax(x):.1f} %" for x in off.T]
    own, width = (f"{words[i]}, {100 * np.nanmedian(scales[:, i, 1]):.1f} %" for i in (0, 1))
    inside = np.mean(off[:, 0] < 2 * scales[:, 0, 1])
    after, before = (np.concatenate([n[i] for n in near]) for i in (0, 1))
    return [name, own, words[2], width, f"{inside:.0%}", spread(before), spread(after)]


def spread(values: np.ndarray) -> str:
    return f"{100 * np.median(abs(values)):.1f} / {100 * np.percentile(abs(values), 95):.1f} %"


def print_table(head: tuple[str, ...], rows: list[list[str]]) -> None:
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
