"""`reenact retarget`: from a scene to files other programs read; wrong input is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reenact.cli.main import main
from reenact.cli.settings import setting_lines
from reenact.datasets.lerobot.folder import LeRobotFolder
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import read_csv_q, read_npz
from reenact.scene import CameraTrack, Clip, Scene, Source
from reenact.stages.retarget_scene import RetargetSceneConfig
from tests.retarget.motions import hands_at, own_motion, times, yaw
from tests.robots.test_sheets import GOOD
from tests.robots.test_user_models import MESH, URDF
from tests.robots.test_user_models import SHEET as USER_SHEET

QUICK = [
    "--set",
    *(f"retarget.search.{k}" for k in ("places=60", "keep_grid=40", "keep_ik=6", "keep_second=3")),
    "--no-video",
]
T_NS = times(20, 10.0)


def write_scene(folder: Path, valid: np.ndarray, motion: np.ndarray) -> Path:
    """A scene folder with these hands and a still camera."""
    t = len(T_NS)
    clip = Clip(
        clip_id="reach", source_name="reach.mp4", source_sha256="", width_px=64, height_px=48, rotation_deg=0,
        nominal_fps_hz=10.0, t_ns=T_NS, end_ns=int(T_NS[-1]) + 10**8, source_frame_idx=np.arange(t),
    )  # fmt: skip
    camera = CameraTrack(
        model="pinhole", params=np.array([60.0, 60.0, 31.5, 23.5]), width_px=64, height_px=48,
        intrinsics_source="truth", focal_sigma=0.0, T_world_camera=np.tile(np.eye(4), (t, 1, 1)),
        valid=np.ones(t, bool), confidence=np.ones(t), source=np.full(t, Source.TRUTH, np.uint8), motion="still",
        motion_heights_per_s=0.0, world_frame="world", gravity_source="truth", gravity_sigma=0.0,
    )  # fmt: skip
    folder.mkdir(parents=True)
    Scene(clip=clip, camera=camera, hands=hands_at(motion, valid)).save(folder)
    return folder


@pytest.fixture(scope="module")
def motion() -> np.ndarray:
    return yaw(0.7, 1.0, 0.0, 0.3) @ own_motion(load_robot("unitree_g1_dex3"), T_NS, seed=3)


@pytest.fixture(scope="module")
def scene(motion: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(tmp_path_factory.mktemp("clips") / "reach" / "scene", np.ones((20, 2), bool), motion)


def test_a_scene_becomes_files_that_agree(scene: Path, tmp_path: Path, capsys) -> None:
    yaml, mcap = pytest.importorskip("yaml"), pytest.importorskip("mcap_ros2.reader")
    args = ["retarget", str(scene), "--robot", "unitree_g1_dex3", "--out", str(tmp_path), "--json"]
    assert main([*args, "--format", "csv,ros2", "mcap", "lerobot", *QUICK]) == 0
    (words,) = json.loads(capsys.readouterr().out)["results"]
    folder = tmp_path / "reach" / "unitree_g1_dex3"
    assert words["folder"] == str(folder)
    motion = read_npz(folder / "trajectory.npz")
    np.testing.assert_array_equal(motion.t_ns, T_NS)
    np.testing.assert_array_equal(read_csv_q(folder / "trajectory.csv")[2], motion.q)
    points = yaml.safe_load((folder / "trajectory.yaml").read_text())["points"]
    np.testing.assert_array_equal([p["positions"] for p in points], motion.q)
    states = [
        m for m in mcap.read_ros2_messages(folder / "trajectory.mcap") if m.channel.topic == "/joint_states"
    ]
    np.testing.assert_array_equal([m.ros_msg.position for m in states], motion.q)
    dataset = LeRobotFolder(folder / "lerobot")
    (row,) = dataset.rows
    np.testing.assert_allclose(dataset.episode(row).columns["observation.state"], motion.q, atol=1e-6)
    quality = json.loads((folder / "quality.json").read_text())
    assert quality == words["quality"]
    notes = json.loads((folder / "notes.json").read_text())
    assert notes["limits"]["velocity_ratio"] == pytest.approx(quality["peak_velocity_ratio"])
    assert notes["limits"]["said"]


def test_several_robots_and_a_run_folder(scene: Path, tmp_path: Path, capsys) -> None:
    run = scene.parents[1]
    args = [
        "retarget",
        str(run),
        "-r",
        "floating_leap",
        "floating_allegro",
        "--out",
        str(tmp_path),
        "--json",
        *QUICK,
    ]
    assert main(args) == 0
    made = [w["folder"] for w in json.loads(capsys.readouterr().out)["results"]]
    assert made == [str(tmp_path / "reach" / n) for n in ("floating_leap", "floating_allegro")]


def test_every_setting_can_be_listed() -> None:
    shown = {line.partition(" = ")[0] for line in setting_lines(RetargetSceneConfig())}
    assert {"retarget.moving_root", "retarget.root", "replay.draw_objects"} <= shown


def stick(old: str, new: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "stick.toml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
        return folder / "stick.toml"

    return write


def without_meshes(folder: Path) -> Path:
    (folder / "arm.urdf").write_text(URDF.format(visual=MESH.format("package://my_pkg/u.stl")))
    (folder / "mine.toml").write_text(USER_SHEET.format(file="arm.urdf", more=""))
    return folder / "mine.toml"


ROBOTS = {
    "unknown joint": (stick('"shoulder", "elbow"]', '"shoulder", "elbo"]'), "stick.toml", "no joint 'elbo'"),
    "limits reversed": (
        stick("range = [0, 2.5]", "range = [2.5, 0]"),
        "stick.toml",
        "lower must be below upper",
    ),
    "end effector missing": (stick("[wrists.right]", "[wrists.left]"), "stick.toml", "no wrist"),
    "meshes missing": (without_meshes, "arm.urdf", "mesh files are not there"),
}


@pytest.mark.parametrize("case", ROBOTS)
def test_a_wrong_robot_is_named(case: str, scene: Path, tmp_path: Path, capsys) -> None:
    make, file, said = ROBOTS[case]
    robot = str(make(tmp_path))
    for args in (
        ["retarget", str(scene), "--robot", robot, "--out", str(tmp_path / "o")],
        ["robots", "check", robot],
    ):
        assert main(args) == 3
        shown = capsys.readouterr().err
        assert said in shown
        assert file in shown
    assert not (tmp_path / "o").exists()


def test_a_scene_without_a_valid_hand_is_no_result(motion: np.ndarray, tmp_path: Path, capsys) -> None:
    blind = write_scene(tmp_path / "blind" / "scene", np.zeros((20, 2), bool), motion)
    assert main(["retarget", str(blind), "--out", str(tmp_path / "o"), *QUICK]) == 5
    assert "valid frames left 0, right 0" in capsys.readouterr().err


def test_a_hand_valid_in_three_frames_is_followed_there_and_in_two_it_is_not(
    motion: np.ndarray, tmp_path: Path, capsys
) -> None:
    valid = np.zeros((20, 2), bool)
    valid[8:11, 0] = True
    three = write_scene(tmp_path / "three" / "scene", valid, motion)
    args = ["--out", str(tmp_path / "o"), "--json", *QUICK]
    assert main(["retarget", str(three), *args]) == 0
    (words,) = json.loads(capsys.readouterr().out)["results"]
    assert words["quality"]["left"]["target_frames"] == 3
    assert any("no target in 17 of 20 frames" in n for n in words["notes"])
    valid[10] = False
    two = write_scene(tmp_path / "two" / "scene", valid, motion)
    assert main(["retarget", str(two), *args]) == 5
    assert json.loads(capsys.readouterr().out)["error"] == "NoHandToFollow"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["nowhere"], 3, "no such file or folder: nowhere"),
        ([], 3, "no scene was given"),
        (["{scene}", "--format", "csv,bvh"], 3, "no format 'bvh'"),
        (["{scene}", "--robot", "unitree_g1"], 3, "unitree_g1_dex3"),
        (["{scene}", "--robot", "dual_fr3_leap", "--moving-root"], 3, "dual_fr3_leap has a fixed base"),
        (["{npz}"], 3, "holds a robot's motion"),
        (["{scene}", "--set", "retarget.rot=search"], 3, "there is no 'rot'"),
    ],
)
def test_bad_input_is_named(
    args: list[str], code: int, said: str, scene: Path, tmp_path: Path, capsys
) -> None:
    npz = tmp_path / "motion.npz"
    if "{npz}" in args:
        from reenact.robots.trajectory import write_npz
        from tests.robots.test_exports import wave

        write_npz(wave(load_robot("dual_fr3_gripper"), 0.4), npz)
    assert main(["retarget", *(a.format(scene=scene, npz=npz) for a in args), "--no-video"]) == code
    assert said in capsys.readouterr().err


def test_published_sets_are_scenes_too(shared_dir: Path, tmp_path: Path, capsys) -> None:
    files = ["taco_010/20231104_010.npz", "dexycb_crackerbox/dexycb_motion.npz"]
    paths = [
        f"{reader}:{shared_dir / 'data/mocap' / f}"
        for reader, f in zip(("taco", "dexycb"), files, strict=True)
    ]
    args = ["retarget", *paths, "--robot", "floating_leap", "--out", str(tmp_path), "--json", *QUICK]
    assert main(args) == 0
    for words in json.loads(capsys.readouterr().out)["results"]:
        assert words["quality"]["ik_rate"] > 0.97
