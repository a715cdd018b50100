"""Our own scenes, trajectories and LeRobot v3.0; DexYCB's and TACO's folders as their authors lay them out."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reenact.datasets.lerobot.episode import Episode, EpisodeConfig, Footage
from reenact.datasets.lerobot.features import Feature
from reenact.datasets.lerobot.from_reader import ImportConfig, episode_from_reader
from reenact.datasets.lerobot.writer_v3 import write_v3
from reenact.datasets.readers import READERS, HumanEpisode, RobotEpisode, open_dataset, recognise
from reenact.datasets.readers.errors import DamagedSource, NeedsHandModel, UnknownFormat
from reenact.datasets.readers.registry import METIS_TABLE_6
from reenact.errors import ReenactError
from reenact.geometry.transforms import apply, inverse
from reenact.robots.trajectory import JointTrajectory, write_npz
from reenact.video.writer import VideoWriter
from tests import scenes
from tests.datasets.readers import writers
from tests.datasets.readers.truth import HEIGHT, WIDTH, K, error, world


def test_scene_folders_read_as_saved(tmp_path: Path) -> None:
    scene = scenes.waving_scene(12)
    for name in ("a", "b"):
        scene.save(tmp_path / name / "scene")
    episodes = list(open_dataset(tmp_path))
    assert len(episodes) == 2
    e = episodes[0]
    assert isinstance(e, HumanEpisode)
    assert scene.hands is not None
    assert (e.joints().joints_world == scene.hands.joints_world).all()
    assert e.world_frame == "world"


def test_a_scene_brings_the_pictures_of_its_stretch_of_the_video(tmp_path: Path) -> None:
    """Frame k of the video is grey 8 k; the scene begins at frame 6; a namesake with other bytes is passed over."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "waving.mp4").write_bytes(b"not this one")
    video = tmp_path / "videos" / "deep" / "waving.mp4"
    video.parent.mkdir(parents=True)
    with VideoWriter(video, scenes.WIDTH, scenes.HEIGHT, 30.0, keyframe_every=4) as writer:
        for k in range(20):
            writer.write(np.full((scenes.HEIGHT, scenes.WIDTH, 3), 8 * k, np.uint8))
    scene = scenes.waving_scene(12)
    clip = replace(
        scene.clip,
        t_ns=np.rint((np.arange(12) + 6) * 1e9 / 30).astype(np.int64),
        end_ns=round(18e9 / 30),
        source_sha256=hashlib.sha256(video.read_bytes()).hexdigest(),
    )
    replace(scene, clip=clip).save(tmp_path / "scenes" / "scene")
    (found,) = open_dataset(tmp_path / "scenes" / "scene")
    assert episode_from_reader(found, tmp_path / "scenes").footage == ()
    (footage,) = episode_from_reader(found, tmp_path).footage
    grey = [float(frame[240, 320].mean()) for frame in footage.frames()]
    assert grey == pytest.approx(8.0 * (np.arange(12) + 6), abs=3)
    (twice,) = episode_from_reader(found, tmp_path, ImportConfig(EpisodeConfig(fps=60))).footage
    grey = [float(frame[240, 320].mean()) for frame in twice.frames()]
    assert len(grey) in (23, 24)
    assert np.abs(np.array(grey) / 8 - 6 - np.arange(len(grey)) / 2).max() < 0.9  # each the nearest picture


def trajectory(t: int = 9) -> JointTrajectory:
    swing = np.sin(np.arange(t)[:, None] / 5.0 + np.arange(2))
    return JointTrajectory(
        robot="g1",
        sheet_hash="0",
        joint_names=("left_elbow", "right_elbow"),
        t_ns=np.arange(t) * 33_333_333,
        q=swing,
        T_world_base=np.eye(4)[None],
        world_frame="world",
        T_world_wrist_target=np.tile(np.eye(4), (t, 2, 1, 1)),
        valid=np.ones((t, 2), bool),
        confidence=np.ones((t, 2)),
        source=np.zeros((t, 2), np.uint8),
    )


def test_trajectories_read_as_written(tmp_path: Path) -> None:
    motion = trajectory()
    write_npz(motion, tmp_path / "trajectory.npz")
    (e,) = open_dataset(tmp_path / "trajectory.npz")
    assert isinstance(e, RobotEpisode)
    assert (e.state == motion.q).all()
    assert e.action is None
    assert e.state_names == motion.joint_names


def film(n: int) -> Footage:
    return Footage(
        key="observation.images.front",
        size_px=(64, 48),
        frames=lambda: (scenes.numbered_frame(k, 64, 48) for k in range(n)),
    )


def v3(folder: Path, *, video: bool = False) -> Path:
    rng = np.random.default_rng(1)
    features = tuple(Feature(n, "float32", (3,), ("a", "b", "c")) for n in ("observation.state", "action"))
    features += (Feature("human.left.valid", "bool", (1,)),)
    episodes = [
        Episode(
            episode_id=str(n), task=f"task {n % 2}", fps=20, features=features,
            columns={"observation.state": rng.normal(size=(n, 3)), "action": rng.normal(size=(n, 3)),
                     "human.left.valid": np.ones(n, bool)},
            footage=(film(n),) if video else (),
        )
        for n in (5, 8, 3)
    ]  # fmt: skip
    write_v3(folder / "set", episodes, robot_type="toy", provenance={"frames": "none"})
    return folder / "set"


def test_lerobot_v30_of_our_own_writer(tmp_path: Path) -> None:
    folder = v3(tmp_path)
    assert recognise(folder).name == "lerobot_v30"
    episodes = list(open_dataset(folder))
    assert [len(e.t_ns) for e in episodes] == [5, 8, 3]
    e = episodes[1]
    assert isinstance(e, RobotEpisode)
    assert e.task == "task 0"
    assert e.state_names == ("a", "b", "c")
    rng = np.random.default_rng(1)
    rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    assert error(e.state, rng.normal(size=(8, 3))) < 1e-6
    assert e.columns["human.left.valid"].all()
    assert error(e.t_ns, np.arange(8) * 50_000_000) < 20


def test_lerobot_v30_videos_are_pointed_to(tmp_path: Path) -> None:
    folder = v3(tmp_path, video=True)
    for episode, start in zip(open_dataset(folder), (0.0, 0.25, 0.65), strict=True):
        assert isinstance(episode, RobotEpisode)
        image = episode.cameras["observation.images.front"]
        assert (folder / image.path).is_file()
        assert (image.width_px, image.height_px) == (64, 48)
        assert image.start_s == pytest.approx(start)


def test_lerobot_counts_that_disagree_are_refused(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    folder = v3(tmp_path)
    file = folder / "data/chunk-000/file-000.parquet"
    pq.write_table(pq.read_table(file).slice(0, 15), file)
    with pytest.raises(DamagedSource, match="episode 2 has 2 rows"):
        list(open_dataset(folder))


def dexycb_labels(folder: Path) -> Path:
    w = world()
    cam = folder / "20200709-subject-01" / "20200709_141754" / "836212060125"
    cam.mkdir(parents=True)
    (cam.parent / "meta.yml").write_text(
        "serials:\n- '836212060125'\nnum_frames: 20\nycb_ids:\n- 2\n- 5\nycb_grasp_ind: 0\nmano_sides:\n- left\n"
        "mano_calib:\n- 20200709-subject-01_left\nextrinsics: 20200702_151821\n"
    )
    lens = folder / "calibration" / "intrinsics"
    lens.mkdir(parents=True)
    (lens / "836212060125_640x480.yml").write_text(
        "color:\n  fx: 613.5\n  fy: 612.8\n  ppx: 316.2\n  ppy: 236.4\ndepth:\n  fx: 600.0\n"
    )
    still = inverse(w.T_world_camera[0])
    joints, T = apply(still, w.joints[:, 0]), still @ w.T_world_object
    for i in range(20):
        hand = joints[i] if w.valid[i, 0] else np.full((21, 3), -1.0)
        poses = np.stack([T[i, :3], np.zeros((3, 4))]).astype(np.float32)
        np.savez(cam / f"labels_{i:06d}.npz", joint_3d=hand[None].astype(np.float32), pose_y=poses,
                 pose_m=np.zeros((1, 51), np.float32), joint_2d=np.zeros((1, 21, 2)), seg=np.zeros(1))  # fmt: skip
    return cam


def test_dexycb_labels(tmp_path: Path) -> None:
    w = world()
    (e,) = open_dataset(dexycb_labels(tmp_path))
    assert isinstance(e, HumanEpisode)
    hands = e.joints()
    assert (hands.valid[:, 0] == w.valid[:, 0]).all()
    assert not hands.valid[:, 1].any()  # meta.yml says left
    assert error(hands.joints_world[w.valid[:, 0], 0], apply(w.to_camera0, w.joints[w.valid[:, 0], 0])) < 2e-6
    assert e.objects is not None
    assert e.objects.object_ids == ("ycb_02", "ycb_05")
    assert e.objects.valid[:, 0].all()
    assert not e.objects.valid[:, 1].any()  # an all-zero pose is no pose
    assert e.camera is not None
    assert e.camera.params.tolist() == [613.5, 612.8, 316.2, 236.4]


def taco_folders(folder: Path) -> Path:
    w = world()
    where = ("(stir, spoon, bowl)", "20231031_171")
    poses, hands = folder.joinpath("Object_Poses", *where), folder.joinpath("Hand_Poses", *where)
    poses.mkdir(parents=True)
    hands.mkdir(parents=True)
    np.save(poses / "tool_194.npy", w.T_world_object.astype(np.float32))
    np.save(poses / "target_020.npy", np.tile(np.eye(4, dtype=np.float32), (20, 1, 1)))
    pose = {f"{i:05d}": {"hand_pose": np.full(48, 0.1), "hand_trans": w.joints[i, 1, 0]} for i in range(20)}
    (hands / "right_hand.pkl").write_bytes(pickle.dumps(pose))
    (hands / "right_hand_shape.pkl").write_bytes(pickle.dumps({"hand_shape": np.zeros(10)}))
    return poses


def test_taco_folders(tmp_path: Path) -> None:
    w = world()
    (e,) = open_dataset(taco_folders(tmp_path))
    assert isinstance(e, HumanEpisode)
    assert e.objects is not None
    assert e.mano is not None
    k = e.objects.object_ids.index("tool_194")
    assert error(e.objects.T_world_object[:, k], w.T_world_object) < 2e-6
    assert e.mano.valid[:, 1].all()
    assert not e.mano.valid[:, 0].any()
    assert error(e.mano.translation[:, 1], w.joints[:, 1, 0]) < 1e-12
    with pytest.raises(NeedsHandModel):
        e.joints()


def test_one_reader_and_only_one_knows_each_format(tmp_path: Path) -> None:
    w = world()
    made = {
        "egodex": writers.egodex(tmp_path / "1", w), "h2o": writers.h2o(tmp_path / "2", w),
        "holoassist": writers.holoassist(tmp_path / "3", w), "arctic": writers.arctic(tmp_path / "4", w),
        "oakink2": writers.oakink2(tmp_path / "5", w), "ho3d": writers.ho3d(tmp_path / "6", w),
        "dexycb": dexycb_labels(tmp_path / "7"), "taco": taco_folders(tmp_path / "8"),
    }  # fmt: skip
    for name, write in (("vitra", writers.vitra), ("egoverse", writers.egoverse)):
        (tmp_path / name).mkdir()
        made[name] = write(tmp_path / name, w)
    (tmp_path / "hoi").mkdir()
    made["hoi4d"] = writers.hoi4d(tmp_path / "hoi", w)[0]
    for name, path in made.items():
        assert recognise(path).name == name


def test_foreign_files_are_nobodys(tmp_path: Path) -> None:
    """Sniffing looks and never raises: empty files, garbage, wrong insides."""
    import h5py

    for suffix in (".npz", ".npy", ".hdf5", ".h5", ".tar", ".pkl", ".json", ".object.npy", ""):
        for content in (b"", b"\x00garbage" * 100, b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"):
            path = tmp_path / f"f{suffix}"
            path.write_bytes(content)
            with pytest.raises(UnknownFormat, match="no format known"):
                recognise(path)
    with h5py.File(tmp_path / "g.hdf5", "w") as file:
        file["action"] = np.zeros((4, 7))
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "info.json").write_text("{not json")
    for path in (tmp_path / "g.hdf5", tmp_path):
        with pytest.raises(UnknownFormat):
            recognise(path)
    with pytest.raises(UnknownFormat, match="does not exist"):
        recognise(tmp_path / "nothing")
    with pytest.raises(UnknownFormat, match="no reader 'x'"):
        open_dataset(tmp_path, "x")


def test_broken_files_raise_named_errors_only(tmp_path: Path) -> None:
    """Every file of every cheap format, cut in half, emptied and filled with garbage: a `ReenactError`, or it still
    reads because that file was not needed."""
    w, refused = world(), 0
    whole = {"egodex": writers.egodex, "h2o": writers.h2o, "holoassist": writers.holoassist, "ph2d": None,
             "dexycb": None, "egoverse": writers.egoverse, "hoi4d": None}  # fmt: skip
    for name, write in whole.items():
        for kind, harm in enumerate((lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\x00\xffno" * 9)):
            folder = tmp_path / f"{name}{kind}"
            folder.mkdir()
            if name == "dexycb":
                path = dexycb_labels(folder)
            elif name == "ph2d":
                path = writers.ph2d(folder, w, lambda R: R[..., :2, :].reshape(-1, 6))
            else:
                path = writers.hoi4d(folder, w)[0] if write is None else write(folder, w)
            files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
            for file in [files[0], files[len(files) // 2], files[-1]]:
                before = file.read_bytes()
                file.write_bytes(harm(before))
                try:
                    list(open_dataset(path, name))
                except ReenactError:
                    refused += 1
                file.write_bytes(before)
    assert refused >= 40


def test_every_reader_states_its_terms_and_translation() -> None:
    import importlib

    assert len(READERS) == 21
    assert set(METIS_TABLE_6) <= set(READERS)
    assert sum(METIS_TABLE_6.values()) == pytest.approx(100.6)  # as printed; whoever mixes must normalise
    for reader in READERS.values():
        assert reader.licence.name
        text = importlib.import_module(reader.open.__module__).__doc__ or ""
        assert len(text) > 60, reader.name
    assert (WIDTH, HEIGHT, K.shape) == (1280, 720, (3, 3))
