"""LeRobot v3.0: what is written reads back, nothing leaks into the policy, and broken folders are named as such."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reenact.datasets.checks.validate import validate_dataset
from reenact.datasets.lerobot import EpisodeConfig, Feature, episode_from_scene, write_v3
from reenact.datasets.lerobot.episode import constant_rate_rows
from reenact.datasets.lerobot.layout import NotADataset
from reenact.datasets.lerobot.statistics import row_statistics
from reenact.errors import NoResultError, RecordError
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import JointTrajectory
from reenact.scene import Source
from reenact.video.reader import VideoReader
from tests import scenes

ROBOT = "unitree_g1_dex3"


def trajectory(scene) -> JointTrajectory:
    robot = load_robot(ROBOT)
    t = scene.clip.t_seconds
    q = np.clip(robot.home_q + 0.05 * np.sin(2 * t)[:, None], robot.lower, robot.upper)
    n = len(t)
    return JointTrajectory(
        robot=robot.name, sheet_hash=robot.sheet_hash, joint_names=robot.joint_names, t_ns=scene.clip.t_ns, q=q,
        T_world_base=np.eye(4)[None], world_frame="world", T_world_wrist_target=np.tile(np.eye(4), (n, 2, 1, 1)),
        valid=scene.hands.valid, confidence=scene.hands.confidence,
        source=np.full((n, 2), Source.OBSERVED, np.uint8),
    )  # fmt: skip


def episode(frames: int, clip_id: str, config: EpisodeConfig):
    scene = scenes.waving_scene(frames, clip_id=clip_id)
    return episode_from_scene(
        scene, trajectory(scene), lambda rows: (scenes.numbered_frame(int(r)) for r in rows), config
    )


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("lerobot") / "set"
    config = EpisodeConfig(image_width_px=160, image_height_px=120)
    episodes = (episode(n, f"clip{n}", config) for n in (20, 31))
    write_v3(folder, episodes, robot_type=ROBOT, provenance={"units": "SI"})
    return folder


def test_a_written_dataset_is_sound_and_complete(dataset: Path) -> None:
    assert [f for f in validate_dataset(dataset) if f.level == "error"] == []
    info = json.loads((dataset / "meta/info.json").read_text())
    assert (info["total_episodes"], info["total_frames"], info["fps"], info["robot_type"]) == (
        2,
        51,
        30,
        ROBOT,
    )
    table = pq.read_table(dataset / "data/chunk-000/file-000.parquet")
    state = np.array(table["observation.state"].to_pylist())
    action = np.array(table["action"].to_pylist())
    np.testing.assert_array_equal(action[:19], state[1:20])  # the next step
    np.testing.assert_array_equal(action[19], state[19])  # the last one repeats
    assert table["frame_index"].to_pylist() == [*range(20), *range(31)]
    np.testing.assert_allclose(table["timestamp"].to_numpy()[20:], np.arange(31) / 30, atol=1e-6)
    assert pq.read_table(dataset / "meta/tasks.parquet").schema.pandas_metadata["index_columns"] == ["task"]


def test_every_frame_of_the_video_is_the_frame_of_its_row(dataset: Path) -> None:
    path = dataset / "videos/observation.images.front/chunk-000/file-000.mp4"
    numbers = [scenes.read_number(rgb) for _, rgb in VideoReader(path).frames(None)]
    assert numbers == [*range(20), *range(31)]


def test_a_lost_hand_makes_no_leap_in_its_turn() -> None:
    config = EpisodeConfig(image_width_px=64, image_height_px=48)
    pose = episode(20, "clip", config).columns["human.left.wrist"]  # lost in frames 10 to 14
    assert ((pose[1:, 3:] * pose[:-1, 3:]).sum(1) > 0.9).all()
    np.testing.assert_array_equal(pose[10:15, 3:], np.tile(pose[9, 3:], (5, 1)))


def test_only_state_images_and_action_could_reach_a_policy(dataset: Path) -> None:
    features = json.loads((dataset / "meta/info.json").read_text())["features"]
    policy = {k for k in features if k.startswith(("observation", "action"))}
    assert policy == {"observation.state", "observation.images.front", "action"}
    with pytest.raises(RecordError, match="leak"):
        Feature("observation.hand_confidence", "float32", (1,))
    with pytest.raises(RecordError, match="'/'"):
        Feature("human/left", "float32", (1,))


def test_statistics_merge_exactly(dataset: Path) -> None:
    stats = json.loads((dataset / "meta/stats.json").read_text())["observation.state"]
    table = pq.read_table(dataset / "data/chunk-000/file-000.parquet")
    rows = np.array(table["observation.state"].to_pylist())
    for name in ("min", "max", "mean", "std", "q01", "q50", "q99"):
        np.testing.assert_allclose(stats[name], row_statistics(rows)[name], atol=1e-6)
    assert stats["count"] == [51]


def test_the_camera_of_the_padded_picture_sees_the_same_rays(dataset: Path) -> None:
    table = pq.read_table(dataset / "data/chunk-000/file-000.parquet")
    fx, _fy, cx, _cy = table["camera.front.intrinsics"].to_pylist()[0]
    assert fx == pytest.approx(scenes.FOCAL / 2)
    left_edge_before = (-0.5 - (scenes.WIDTH - 1) / 2) / scenes.FOCAL
    assert (-0.5 - cx) / fx == pytest.approx(left_edge_before, abs=1e-6)


@pytest.mark.parametrize(
    ("fps_in", "fps_out", "count"), [(30.0, 30, 40), (29.97, 30, 40), (60.0, 30, 20), (15.0, 30, 80)]
)
def test_rows_lie_on_the_datasets_own_grid(fps_in: float, fps_out: int, count: int) -> None:
    t_ns = np.rint(np.arange(40) * 1e9 / fps_in).astype(np.int64)
    rows = constant_rate_rows(t_ns, fps_out)
    assert abs(len(rows) - count) <= 1
    assert (
        np.abs(t_ns[rows] * 1e-9 - np.arange(len(rows)) / fps_out).max()
        < max(0.5 / fps_in, 0.5 / fps_out) + 0.002
    )


def test_same_input_gives_the_same_bytes(tmp_path) -> None:
    config = EpisodeConfig(image_width_px=64, image_height_px=48)
    for name in ("a", "b"):
        write_v3(tmp_path / name, [episode(8, "clip", config)], robot_type=ROBOT, provenance={})
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert files
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_a_failed_write_leaves_no_dataset(tmp_path) -> None:
    config = EpisodeConfig(image_width_px=64, image_height_px=48)

    def episodes():
        yield episode(8, "clip", config)
        raise KeyError("the second clip broke")

    with pytest.raises(KeyError):
        write_v3(tmp_path / "set", episodes(), robot_type=ROBOT, provenance={})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NoResultError, match="at least one episode"):
        write_v3(tmp_path / "set", [], robot_type=ROBOT, provenance={})


def test_episodes_that_differ_are_refused(tmp_path) -> None:
    sizes = [EpisodeConfig(image_width_px=64, image_height_px=h) for h in (48, 64)]
    with pytest.raises(RecordError, match="image_size_px"):
        write_v3(tmp_path / "set", [episode(8, "c", s) for s in sizes], robot_type=ROBOT, provenance={})


def edit_info(folder: Path, **changes: object) -> None:
    path = folder / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_data(folder: Path, name: str, change) -> None:
    path = folder / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    values = change(table[name].to_numpy().copy())
    table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, path)


def shifted(values: np.ndarray) -> np.ndarray:
    values[5] += 0.01
    return values


def not_a_number(values: np.ndarray) -> np.ndarray:
    values[3] = np.nan
    return values


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: edit_info(f, total_frames=7), "info.json says 7 frames, data holds 51"),
        (lambda f: edit_info(f, total_episodes=3), "3 episodes"),
        (lambda f: edit_info(f, codebase_version="v2.1"), "'v2.1'"),
        (lambda f: edit_info(f, fps=25), "timestamps leave the 25 Hz grid"),
        (lambda f: edit_data(f, "timestamp", shifted), "timestamps leave the 30 Hz grid"),
        (lambda f: edit_data(f, "video_pts", not_a_number), "NaN"),
        (lambda f: (f / "meta/stats.json").unlink(), "stats.json is missing"),
        (lambda f: (f / "meta/episodes/chunk-000/file-000.parquet").unlink(), "killed before it finished"),
        (
            lambda f: (f / "videos/observation.images.front/chunk-000/file-000.mp4").write_bytes(b"x"),
            "file-000.mp4",
        ),
    ],
)
def test_a_broken_dataset_is_named_as_such(dataset: Path, tmp_path, damage, said: str) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    damage(copy)
    assert said in " ".join(f.text for f in validate_dataset(copy))


def test_a_folder_without_meta_is_no_dataset(tmp_path) -> None:
    with pytest.raises(NotADataset, match=r"meta/info\.json"):
        validate_dataset(tmp_path)
