"""Broken datasets, one fault each: every one is named, none raises, and only what is certain is repaired."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reenact.datasets.checks.hands import side_votes
from reenact.datasets.checks.repair import repair_dataset
from reenact.datasets.checks.validate import validate_dataset
from reenact.datasets.lerobot.convert import convert_dataset, write_dataset
from reenact.datasets.lerobot.layout import NotADataset
from reenact.datasets.lerobot.tables import table_columns
from reenact.video.writer import VideoWriter
from tests import scenes
from tests.datasets.episodes import SIZE, content_hash, tiny_episode

VIDEO_21 = "videos/chunk-000/observation.images.front/episode_000001.mp4"
STATS_21 = "meta/episodes_stats.jsonl"
MODALITY = "meta/modality.json"
START = "videos/observation.images.front/from_timestamp"
DATA = "data/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.front/chunk-000/file-000.mp4"
TABLE = "meta/episodes/chunk-000/file-000.parquet"
LENGTHS = (12, 15, 13)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> dict[str, Path]:
    """A sound dataset in both layouts."""
    root = tmp_path_factory.mktemp("sound")
    episodes = (tiny_episode(n, length, with_hands=True) for n, length in enumerate(LENGTHS))
    write_dataset(root / "v3.0", episodes, robot_type="toy", provenance={})
    convert_dataset(root / "v3.0", root / "v2.1", "v2.1")
    return {name: root / name for name in ("v3.0", "v2.1")}


def test_sound_datasets_have_no_findings(sound) -> None:
    assert validate_dataset(sound["v3.0"]) == []
    assert validate_dataset(sound["v2.1"]) == []


# how to break things


def info(**changes: object) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        path = root / "meta/info.json"
        words = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in (words | changes).items() if v != "gone"}))

    return damage


def feature(name: str, **changes: object) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        path = root / "meta/info.json"
        words = json.loads(path.read_text())
        words["features"].setdefault(name, {"dtype": "float32", "shape": [1], "names": None}).update(changes)
        path.write_text(json.dumps(words))

    return damage


def data(column: str, change: Callable[[np.ndarray], np.ndarray], file: str = DATA) -> Callable[[Path], None]:
    """Change a column's values [t n]; its statistics are kept in step, so that only this fault is there."""

    def damage(root: Path) -> None:
        table = pq.read_table(root / file)
        values = change(table_columns(table)[column].copy())
        flat = pa.array(values.reshape(-1))
        stored = flat if values.shape[1] == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        pq.write_table(table.set_column(table.column_names.index(column), column, stored), root / file)
        path = root / "meta/stats.json"
        if path.is_file():
            stats = json.loads(path.read_text())
            if values.dtype.kind == "f" and np.isfinite(values).all():
                stats[column] |= {
                    k: getattr(values.astype(float), k)(0).tolist() for k in ("mean", "min", "max", "std")
                }
                path.write_text(json.dumps(stats))

    return damage


def table(file: str, change: Callable[[list[dict]], object]) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        stored = pq.read_table(root / file)
        rows = stored.to_pylist()
        change(rows)
        made = pa.Table.from_pylist(rows, schema=None if "extra" in (rows or [{}])[0] else stored.schema)
        pq.write_table(made, root / file)

    return damage


def lines(file: str, change: Callable[[list[dict]], object]) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        rows = [json.loads(line) for line in (root / file).read_text().splitlines()]
        change(rows)
        (root / file).write_text("".join(json.dumps(r) + "\n" for r in rows))

    return damage


def document(file: str, change: Callable[[dict], object]) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        words = json.loads((root / file).read_text())
        change(words)
        (root / file).write_text(json.dumps(words))

    return damage


def cut(file: str, share: float = 0.6) -> Callable[[Path], None]:
    return lambda root: (root / file).write_bytes(
        (root / file).read_bytes()[: int((root / file).stat().st_size * share)]
    )


def drop(file: str) -> Callable[[Path], None]:
    return lambda root: (root / file).unlink()


def film(
    frames: int = sum(LENGTHS), size: tuple[int, int] = SIZE, fps: float = 30, picture=None, file: str = VIDEO
):
    def damage(root: Path) -> None:
        with VideoWriter(root / file, *size, fps, keyframe_every=2) as writer:
            for i in range(frames):
                writer.write(scenes.numbered_frame(i % 256, *size) if picture is None else picture(i))

    return damage


def at(row: int, column: int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        values[row, column] = value
        return values

    return change


def times(factor: float, columns: slice = slice(None)) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        values[:, columns] = values[:, columns] * np.float32(factor)
        return values

    return change


def only_rows(begin: int, end: int) -> Callable[[np.ndarray], np.ndarray]:
    """Nothing moves in rows [begin, end)."""

    def change(values: np.ndarray) -> np.ndarray:
        values[begin:end] = values[begin]
        return values

    return change


def mirrored(values: np.ndarray) -> np.ndarray:
    joints = values.reshape(len(values), 21, 3).copy()
    joints[..., 1] = 2 * joints[:, :1, 1] - joints[..., 1]
    return joints.reshape(len(values), 63)


def swapped(root: Path) -> None:
    stored = pq.read_table(root / DATA)
    columns = table_columns(stored)
    for part in ("keypoints", "wrist"):
        left, right = columns[f"human.left.{part}"], columns[f"human.right.{part}"]
        data(f"human.left.{part}", lambda _, v=right: v)(root)
        data(f"human.right.{part}", lambda _, v=left: v)(root)


def xyzw(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[:, :3], np.roll(values[:, 3:], -1, axis=1)], axis=1)


def flipped(values: np.ndarray) -> np.ndarray:
    values[1::2, 3:] *= -1
    return values


def known_robot(root: Path) -> None:
    info(robot_type="dual_fr3_leap")(root)
    from reenact.robots.registry import load_robot

    own = load_robot("dual_fr3_leap").joint_names
    names = [*own[:5], "not_a_joint"]
    for column in ("observation.state", "action"):
        feature(column, names=names)(root)
    data("observation.state", at(4, 0, 9.0))(root)


def remember(root: Path) -> None:
    """Episode 1 is cut to the length of episode 0 and repeats it."""
    data("observation.state", lambda v: np.concatenate([v[:12], v[:12], v[24:]]))(root)
    data("episode_index", lambda v: np.where((np.arange(len(v)) >= 24)[:, None] & (v == 1), 2, v))(root)


@dataclass(frozen=True)
class Broken:
    code: str
    damage: Callable[[Path], object]
    said: str = ""
    version: str = "v3.0"


FAULTS = [
    Broken("version", info(codebase_version="v4.2"), "'v4.2'"),
    Broken("version", info(codebase_version="v2.1"), "laid out as v3.0"),
    Broken("version", info(codebase_version="v3.0"), "laid out as v2.1", "v2.1"),
    Broken("info-keys", info(total_tasks="gone"), "total_tasks"),
    Broken("count-frames", info(total_frames=7), "says 7 frames, data holds 40"),
    Broken("count-episodes", info(total_episodes=9), "9 episodes"),
    Broken("count-tasks", info(total_tasks=1), "holds 2"),
    Broken("splits", info(splits={"train": "0:9"}), "'0:9'"),
    Broken("tasks-missing", drop("meta/tasks.parquet")),
    Broken("stats-missing", drop("meta/stats.json")),
    Broken("episodes-missing", drop(TABLE), "killed before it finished"),
    Broken("data-missing", drop(DATA), "killed before it finished"),
    Broken("data-unreadable", cut(DATA), "file-000.parquet"),
    Broken("unreadable", cut(TABLE), "file-000.parquet"),
    Broken("unreadable", cut("meta/stats.json"), "stats.json is not JSON"),
    Broken("data-file-missing", table(TABLE, lambda r: r[2].update({"data/file_index": 5})), "file-005.parquet"),
    Broken("slash", feature("human/left"), "'human/left'"),
    Broken("leak", feature("observation.hand_confidence"), "fed to the policy"),
    Broken("leak", feature("action.previous"), "action.previous"),
    Broken("names-twice", feature("action", names=["a", "a", "b", "c", "d", "e"]), "a"),
    Broken("names-count", feature("action", names=["a", "b"]), "2 names for 6"),
    Broken("column-missing", feature("human.left.elbow"), "human.left.elbow"),
    Broken("width", feature("action", shape=[7]), "declared [7], its rows hold 6"),
    Broken("dtype", feature("action", dtype="float64"), "stored as float32"),
    Broken("index-gap", data("index", lambda v: v + (v > 20)), "gaps"),
    Broken("frame-index", data("frame_index", at(5, 0, 9)), "episodes 0"),
    Broken("episodes-torn", data("episode_index", at(20, 0, 0)), "not together"),
    Broken("episode-length", table(TABLE, lambda r: r[1].update(length=14)), "episodes 1"),
    Broken("episode-span", table(TABLE, lambda r: r[1].update(dataset_from_index=13)), "episode 1 spans (13, 27)"),
    Broken("episode-index", table(TABLE, lambda r: r[1].update(episode_index=7)), "gaps"),
    Broken("episode-unknown", table(TABLE, lambda r: r.pop()), "episodes 2"),
    Broken("task-text", data("task_index", at(3, 0, 8)), "task_index 8"),
    Broken("task-empty", table("meta/tasks.parquet", lambda r: r[0].update(task=" ")), "task 0"),
    Broken("task-unknown", table(TABLE, lambda r: r[0].update(tasks=["dance"])), "episodes 0"),
    Broken("fps", info(fps=0), "fps is 0"),
    Broken("timestamps", info(fps=25), "25 Hz grid"),
    Broken("timestamps", data("timestamp", at(5, 0, 0.5)), "30 Hz grid"),
    Broken("fps-drift", data("video_pts", times(1.5)), "drift from 30 Hz"),
    Broken("time-backward", data("video_pts", at(4, 0, 0.0)), "episodes 0"),
    Broken("nan", data("video_pts", at(3, 0, np.nan)), "1 rows"),
    Broken("nan", data("observation.state", at(3, 2, np.inf)), "observation.state"),
    Broken("leap", data("observation.state", at(20, 1, 3.0)), "left_elbow"),
    Broken("dead-joint", data("observation.state", times(0, slice(2, 3))), "never move: left_thumb"),
    Broken("still", data("observation.state", only_rows(12, 27)), "episodes 1"),
    Broken("repeated", remember, "episodes 1"),
    Broken("action-constant", data("action", times(0)), "nothing to learn"),
    Broken("stats-differ", document("meta/stats.json", lambda s: s["action"]["mean"].__setitem__(0, 9.0)), "mean is 9"),
    Broken("stats-lack", document("meta/stats.json", lambda s: s.pop("action")), "action"),
    Broken("unit", data("human.left.keypoints", times(1000)), "millimetres, not metres"),
    Broken("hand-size", data("human.left.keypoints", times(3)), "0.567"),
    Broken("hand-zero", data("human.left.keypoints", times(0)), "are 0"),
    Broken("wrong-handed", data("human.left.keypoints", mirrored), "human.left holds a right hand"),
    Broken("sides-swapped", swapped, "swapped"),
    Broken("hand-leap", data("human.right.keypoints", lambda v: v + 3 * (np.arange(40) == 5)[:, None].astype("f4")), "m/s"),
    Broken("wrist-apart", data("human.left.wrist", lambda v: v + np.float32([0.5, 0, 0, 0, 0, 0, 0])), "0.5 m"),
    Broken("quaternion-order", data("human.left.wrist", xyzw), "stored xyzw"),
    Broken("quaternion-order", feature("human.left.wrist", names=["x", "y", "z", "qx", "qy", "qz", "qw"]), "qx,qy,qz,qw"),
    Broken("quaternion-norm", data("human.left.wrist", times(2, slice(3, 7))), "norm 2"),
    Broken("quaternion-flip", data("human.left.wrist", flipped), "sign"),
    Broken("confidence", data("human.left.confidence", times(100)), "not 0 to 1"),
    Broken("robot-type", info(robot_type=None), "robot_type is empty"),
    Broken("degrees", data("observation.state", times(57.3)), "degrees"),
    Broken("joint-limit", known_robot, "leave a joint's range"),
    Broken("no-policy-column", lambda r: document("meta/info.json", lambda i: i["features"].pop("action"))(r), "no action"),
    Broken("action-wide", feature("action", shape=[44]), "44 numbers"),
    Broken("video-missing", drop(VIDEO), "file-000.mp4 is missing"),
    Broken("video-unreadable", lambda r: (r / VIDEO).write_bytes(b"not a video"), "file-000.mp4"),
    Broken("video-short", film(30), "holds 30 frames, its episodes need 40 (episodes 2)"),
    Broken("video-short", cut(VIDEO, 0.7), "file-000.mp4 holds"),
    Broken("video-long", film(44), "holds 44"),
    Broken("video-size", film(size=(80, 48)), "is 80x48, info.json says 64x48"),
    Broken("video-rate", film(fps=15), "plays at 15.000 Hz"),
    Broken("video-span", table(TABLE, lambda r: r[1].update({START: 0.5})), "begins at frame 15"),
    Broken("frozen", film(picture=lambda i: np.full((48, 64, 3), 90, np.uint8)), "one and the same picture"),
    Broken("dark", film(picture=lambda i: np.zeros((48, 64, 3), np.uint8)), "black"),
    Broken("sizes-mixed", film(15, (80, 48), file=VIDEO_21), "several sizes", "v2.1"),
    Broken("modality", document(MODALITY, lambda m: m["state"]["left_arm"].update(end=99)), "[0, 99) of 6", "v2.1"),
    Broken("modality", document(MODALITY, lambda m: m["video"].update(top={"original_key": "x"})), "top is x", "v2.1"),
    Broken("episodes-missing", drop("meta/episodes.jsonl"), "killed", "v2.1"),
    Broken("stats-differ", lines(STATS_21, lambda r: r[1]["stats"]["action"].update(max=[5] * 6)), "of episode 1", "v2.1"),
    Broken("data-file-missing", drop("data/chunk-000/episode_000002.parquet"), "episode_000002", "v2.1"),
    Broken("malformed", lines("meta/episodes.jsonl", lambda r: r[0].pop("length")), "length", "v2.1"),
    Broken("unreadable", cut("meta/tasks.jsonl", 0.7), "tasks.jsonl", "v2.1"),
]  # fmt: skip


@pytest.mark.parametrize("broken", FAULTS, ids=lambda b: f"{b.code}-{b.version}")
def test_each_fault_is_named(sound, tmp_path, broken: Broken) -> None:
    root = tmp_path / "set"
    shutil.copytree(sound[broken.version], root)
    broken.damage(root)
    found = validate_dataset(root)
    told = [f.text for f in found if f.code == broken.code]
    assert told, f"expected {broken.code}, found {[(f.code, f.text) for f in found]}"
    assert any(broken.said in text for text in told), told


def test_there_are_more_than_thirty_kinds() -> None:
    assert len({b.code for b in FAULTS}) > 50


@pytest.mark.parametrize("seed", range(8))
def test_no_damage_makes_the_checks_fail(sound, tmp_path, seed: int) -> None:
    """Files cut, emptied, overwritten and removed at random: findings or `NotADataset`, nothing else."""
    rng = random.Random(seed)
    root = tmp_path / "set"
    shutil.copytree(sound[rng.choice(["v3.0", "v2.1"])], root)
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.name not in ("README.md", "reenact.json"))
    for path in rng.sample(files, 2):
        content = bytearray(path.read_bytes())
        kind = rng.randrange(3)
        if kind == 0:
            path.unlink()
        elif kind == 1:
            path.write_bytes(content[: rng.randrange(len(content))])
        else:
            for _ in range(20):
                content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content)
    try:
        found = validate_dataset(root)
    except NotADataset:
        found = []  # info.json itself is gone or no JSON
    assert all(f.text for f in found)


FIXED = ("count-frames", "count-episodes", "count-tasks", "splits", "stats-missing", "stats-differ", "stats-lack",
         "index-gap", "frame-index", "episode-span", "timestamps")  # fmt: skip


@pytest.mark.parametrize(
    "broken", [b for b in FAULTS if b.code in FIXED and "25 Hz" not in b.said], ids=lambda b: b.code
)
def test_what_is_certain_is_repaired_and_is_sound_again(sound, tmp_path, broken: Broken) -> None:
    root = tmp_path / "set"
    shutil.copytree(sound[broken.version], root)
    broken.damage(root)
    before, after = repair_dataset(root)
    assert broken.code in {f.code for f in before if f.is_fixable}
    assert after == []


def test_what_somebody_meant_is_not_guessed(sound, tmp_path) -> None:
    root = tmp_path / "set"
    shutil.copytree(sound["v3.0"], root)
    swapped(root)
    before = content_hash(root)
    _, after = repair_dataset(root)
    assert "sides-swapped" in {f.code for f in after}
    assert content_hash(root) == before


def test_the_side_shows_in_the_shape_of_a_hand() -> None:
    joints = scenes.hands(30).joints_world
    for side in (0, 1):
        assert side_votes(joints[:, side], side) == 1.0
        assert side_votes(joints[:, side], 1 - side) == 0.0
        assert side_votes(joints[:, side] * [1, -1, 1], 1 - side) == 1.0
