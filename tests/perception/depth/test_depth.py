"""Depth from files, pairs, hands and truth: the metres that were put in come out; what is unknown stays 0."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from reenact.geometry.transforms import apply
from reenact.hands.joints import JOINT_NAMES_21
from reenact.hands.skeleton import HandSkeleton
from reenact.perception.depth.contract import ChunkedDepthBackend, DepthImage, DepthMismatch
from reenact.perception.depth.files import DepthFilesConfig, DepthFolder
from reenact.perception.depth.kept import KeptDepth
from reenact.perception.depth.net_files import NetDepthFiles
from reenact.perception.depth.sparse import SparseDepth
from reenact.perception.depth.stereo import StereoCalibration, StereoConfig, StereoPairs, stereo_depth
from reenact.perception.depth.stored import StoredDepth, write_depth
from reenact.perception.depth.truth import TruthDepth, TruthDepthConfig
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.scene import HandTracks, SupportPlane
from tests import scenes

METRES = np.linspace(0.4, 3.0, 12).reshape(3, 4)


def _save(folder: Path, names: list[str], values: np.ndarray) -> None:
    for name in names:
        cv2.imwrite(str(folder / name), values)


@pytest.mark.parametrize(
    ("encoding", "stored"),
    [("linear", np.rint(METRES * 1000)), ("inverse_plus_one", np.rint(65535 / (1 + METRES)))],
)
def test_files_give_their_metres(tmp_path: Path, encoding: str, stored: np.ndarray) -> None:
    stored[0, 0] = 0
    _save(tmp_path, ["d2.png", "d10.png"], stored.astype(np.uint16))
    folder = DepthFolder(tmp_path, np.arange(2), DepthFilesConfig(encoding=encoding))  # type: ignore[arg-type]
    image = folder.frame(0)
    assert image is not None
    assert image.values[0, 0] == 0
    assert np.abs(image.values - METRES)[METRES > 0.41].max() < 1e-3
    assert folder.diagnostics["first"] == "d2.png"


def test_files_of_another_clip_are_refused(tmp_path: Path) -> None:
    _save(tmp_path, ["a0.png", "a1.png"], np.ones((3, 4), np.uint16))
    with pytest.raises(DepthMismatch, match="2 depth files"):
        DepthFolder(tmp_path, np.arange(5))
    assert DepthFolder(tmp_path, np.array([1])).frame(0) is not None
    _save(tmp_path, ["a2.png", "a4.png"], np.ones((3, 4), np.uint16))
    with pytest.raises(DepthMismatch, match="4 depth files, none between 2 and 4"):
        DepthFolder(tmp_path, np.arange(5))
    with pytest.raises(DepthMismatch, match="no folder"):
        DepthFolder(tmp_path / "none", np.arange(2))
    _save(tmp_path, ["a1.png"], np.ones((3, 4), np.uint8))
    with pytest.raises(DepthMismatch, match="uint8"):
        DepthFolder(tmp_path, np.arange(2)).frame(1)


def test_a_shifted_picture_has_the_depth_of_its_shift() -> None:
    rng = np.random.default_rng(0)
    wide = cv2.GaussianBlur(rng.integers(0, 255, (120, 260)).astype(np.uint8), (0, 0), 1.0)
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    left, right = np.ascontiguousarray(wide[:, 20:220]), np.ascontiguousarray(wide[:, 32:232])
    calibration = StereoCalibration(focal_px=200.0, baseline=0.1, width_px=200, height_px=120)
    depth = stereo_depth(left, right, calibration, StereoConfig(nearest=0.5))
    known = depth > 0
    assert known[:, 30:].mean() > 0.8
    assert np.median(depth[known]) == pytest.approx(200 * 0.1 / 12, rel=0.01)


def test_the_basketball_pair_agrees_with_its_published_depth(shared_dir: Path) -> None:
    capture, key = shared_dir / "data/gt/v2d_basketball", shared_dir / "data/gt/v2d_bundlesdf_stage1"
    left = sorted((capture / "front_stereo_camera_left").glob("*.jpeg"))[:1]
    right = sorted((capture / "front_stereo_camera_right").glob("*.jpeg"))[:1]
    calibration = StereoCalibration.from_edex(capture / "stereo.edex")
    assert calibration.baseline == pytest.approx(0.1496, abs=1e-4)
    assert calibration.focal_px == pytest.approx(426.2, abs=0.1)
    ours = StereoPairs(left, right, calibration).frame(0)
    files = DepthFolder(key / "depth", np.arange(19), DepthFilesConfig(encoding="inverse_plus_one"))
    theirs = files.frame(0)
    ball = cv2.imread(str(sorted((key / "masks").glob("*.png"))[0]), 0) > 0
    assert ours is not None
    assert theirs is not None
    both = ball & (ours.values > 0) & (theirs.values > 0)
    assert both.sum() > 0.4 * ball.sum()
    assert np.median(ours.values[both] / theirs.values[both]) == pytest.approx(1.0, abs=0.01)


class _Some:
    """Knows frame 1 only."""

    name, licence, kind, scale_source = "some", "none", "depth_metric", "sensor"
    diagnostics: dict[str, object] = {}  # noqa: RUF012

    def frame(self, frame: int) -> DepthImage | None:
        return DepthImage(METRES.astype(np.float32), 0.02, 0.9) if frame == 1 else None


def test_stored_depth_comes_back(tmp_path: Path) -> None:
    record = write_depth(_Some(), 3, tmp_path)
    assert record.valid.tolist() == [False, True, False]
    with StoredDepth(tmp_path) as depth:
        assert depth.metric
        assert depth(0) is None
        assert depth(2) is None
        found = depth(1)
        assert found is not None
        assert np.abs(found[0] - METRES).max() < 2e-4
        assert found[1] == 0.02


def test_kept_depth_is_made_once_and_is_the_same(tmp_path: Path) -> None:
    asked = []

    class Counted(_Some):
        def frame(self, frame: int) -> DepthImage | None:
            asked.append(frame)
            return super().frame(frame)

    with KeptDepth(Counted(), 3, tmp_path) as kept:
        images = [kept.frame(k) for k in (1, 0, 1, 2)]
    assert asked == [0, 1, 2]
    assert [i is None for i in images] == [False, True, False, True]
    assert images[0] is not None
    assert (images[0].values == METRES.astype(np.float32)).all()
    assert images[0].sigma_relative == 0.02


def test_truth_carries_the_noise_that_was_planted() -> None:
    flat = np.full((60, 80), 1.5, np.float32)
    noisy = TruthDepth(
        lambda _: flat, 40, TruthDepthConfig(noise=0.01, bias=0.05, frame_scale=0.02, dropout=0.1, seed=3)
    )
    values = np.stack([noisy.frame(k).values for k in range(40)])
    known = values > 0
    assert known.mean() == pytest.approx(0.9, abs=0.01)
    assert np.mean(values[known]) / 1.5 == pytest.approx(1.05, abs=0.02)
    frames = np.array([v[v > 0].mean() for v in values]) / 1.5
    assert np.allclose(frames, noisy.factor, atol=2e-3)
    assert noisy.frame(0).sigma_relative == pytest.approx(np.sqrt(0.01**2 + 0.05**2 + 0.02**2))
    assert TruthDepth(lambda _: flat, 1).frame(0).source.name == "TRUTH"


def test_sparse_depth_is_the_hands_skin_and_the_table_where_it_is_labelled() -> None:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    camera = scenes.camera(2)
    T = np.asarray(camera.scene_T_camera())
    joints = HandSkeleton.adult(1).joints_wrist(np.zeros(20))
    joints_world = np.zeros((2, 2, 21, 3))
    joints_world[0, 1] = apply(T[0], joints - joints.mean(0) + [0, 0, 0.6])
    valid = np.array([[False, True], [False, False]])
    hands = HandTracks(
        joints_world=joints_world, valid=valid, confidence=valid * 0.8, source=valid.astype(np.uint8),
        sigma_camera=np.full((2, 2, 3), 0.03), reprojection=np.zeros((2, 2)), hand_length=np.array([0.189, 0.189]),
        hand_length_source="adult_prior", world_frame=camera.world_frame, joint_names=JOINT_NAMES_21,
    )  # fmt: skip
    label = np.zeros((48, 64), np.uint8)
    label[40:] = 6
    up = T[0, :3, :3] @ np.array([0, -0.9, -np.sqrt(1 - 0.81)])
    plane = SupportPlane(
        valid=True, normal_world=up, offset=float(up @ (T[0, :3, 3] + T[0, :3, :3] @ np.array([0, 0.3, 0.8]))),
        sigma_offset=0.01, sigma_normal=0.02, confidence=1.0, origin="user",
    )  # fmt: skip
    with SparseDepth(camera, hands, plane, lambda _: label) as sparse:
        image, empty = sparse.frame(0), sparse.frame(1)
    assert image is not None
    assert image.sigma_relative == pytest.approx(0.05, rel=0.1)
    hand = (
        (image.values > 0)
        & (image.values < 0.75)
        & (np.arange(image.values.shape[0])[:, None] < 0.8 * image.values.shape[0])
    )
    assert hand.sum() > 30
    assert np.abs(image.values[hand] - 0.6).max() < 0.1
    assert (image.values == 0).mean() > 0.3
    assert empty is not None, "the table is seen without hands, too"
    with SparseDepth(camera, hands) as alone:
        assert alone.frame(1) is None


def test_a_nets_chunks_are_read_and_cut_with_the_clip(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.5, 2.0, (12, 3, 4)).astype(np.float32)
    depth[5, 0, 0] = np.nan
    np.savez(tmp_path / "chunk_2.npz", depth=depth[4:12], first=4)
    np.savez(tmp_path / "chunk_10.npz", depth=depth[:6])
    whole = NetDepthFiles(tmp_path, np.arange(12))
    assert isinstance(whole, ChunkedDepthBackend)
    assert [(c.first, c.count) for c in whole.chunks] == [(0, 6), (4, 8)]
    image = whole.frame(5)
    assert image is not None
    assert image.values[0, 0] == 0
    assert (image.values.ravel()[1:] == depth[5].ravel()[1:]).all()
    later = NetDepthFiles(tmp_path, np.arange(7, 12))
    assert [(c.first, c.count) for c in later.chunks] == [(0, 5)]
    assert (later.chunk_frame(0, 2).values == depth[9]).all()
    with pytest.raises(DepthMismatch, match="ends at frame 11"):
        NetDepthFiles(tmp_path, np.arange(30))
    np.savez(tmp_path / "odd.npz", depth=depth[0])
    with pytest.raises(DepthMismatch, match="float32"):
        NetDepthFiles(tmp_path, np.arange(12))
    with pytest.raises(DepthMismatch, match="no depth arrays"):
        NetDepthFiles(tmp_path / "none", np.arange(12))
