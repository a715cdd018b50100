"""Ball, box and can before a camera with depth and masks that are a pixel too tight: kind and size come back within the
stated spread. And the real ball of the RGB-D key frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from reenact.datasets.readers.bundlesdf import BundleSdfConfig, read
from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.depth.files import DepthFilesConfig, DepthFolder
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Plane, Sighting
from reenact.perception.pose.sightings import ClipEvidence, ClipSightings
from reenact.perception.shape.fit import PrimitiveFit
from reenact.perception.shape.primitives import KINDS, primitive_mesh
from reenact.perception.shape.problem import ShapeFitConfig
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import View
from reenact.scene import MaskTracks
from tests.perception.pose.solids import drawn_sightings

CAMERA = PinholeCamera(260.0, 260.0, 119.5, 89.5, 240, 180)
VIEW = View(np.asarray(CAMERA.K), 240, 180)
SIZES = {"sphere": (0.11, 0.11, 0.11), "cylinder": (0.07, 0.07, 0.13), "box": (0.08, 0.05, 0.12)}


def tight(seen: Sighting) -> Sighting:
    """The mask less a pixel all around."""
    mask = cv2.erode((seen.label == 16).astype(np.uint8), np.ones((3, 3), np.uint8))
    return replace(seen, label=mask * np.uint8(16))


@pytest.mark.parametrize("kind", SIZES)
def test_kind_and_size_are_found_within_the_stated_spread_although_masks_are_tight(kind: str) -> None:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    size = np.array(SIZES[kind])
    tilt = np.deg2rad(35)
    R = np.array([[1, 0, 0], [0, -np.sin(tilt), -np.cos(tilt)], [0, np.cos(tilt), -np.sin(tilt)]])
    T = make_T(R @ so3_exp(np.array([0, 0, 0.7])), np.array([0.03, 0.02, 0.6]))
    plane = Plane(R[:, 2], float(R[:, 2] @ T[:3, 3]) - size[2] / 2, 0.01)
    seen = drawn_sightings(primitive_mesh(kind, size), T[None], VIEW, depth_sigma=0.01, plane=plane)
    fit = PrimitiveFit(CAMERA, ShapeFitConfig(window_px=80))
    shape = fit.estimate([tight(s) for s in seen], None, ("cylinder", "sphere", "box"))
    assert shape is not None
    assert shape.kind == kind
    off = np.abs(np.sort(shape.size) - np.sort(size)) / np.sort(shape.sigma_size)
    assert (off < 2).all(), f"{shape.size} +- {shape.sigma_size}"
    assert (shape.sigma_size < 0.12 * size).all(), "and the spread says something"
    if kind == "sphere":
        assert np.ptp(shape.size) < 1e-9


def test_the_basketball_has_its_size(shared_dir: Path) -> None:
    gt = shared_dir / "data" / "gt"
    key = gt / "v2d_bundlesdf_stage1"
    if not key.is_dir():
        pytest.skip("no RGB-D key frames in the shared data")
    camera = next(iter(read(key, BundleSdfConfig(stereo_edex=gt / "v2d_basketball" / "stereo.edex")))).camera
    assert camera is not None
    t = len(camera.valid)
    folder = DepthFolder(key / "depth", np.arange(t), DepthFilesConfig(encoding="inverse_plus_one"))
    labels = [((cv2.imread(str(p), 0) > 0) * 16).astype(np.uint8) for p in sorted((key / "masks").glob("*"))]
    ones, some = np.ones((t, 1)), np.arange(t)[:, None] % 6 == 0
    masks = MaskTracks(
        object_ids=("ball",), valid=some, confidence=ones, source=ones.astype(np.uint8), area_px=ones,
        occluded_share=0 * ones, width_px=960, height_px=600, backend="published", licence="Apache-2.0",
    )  # fmt: skip

    def depth(frame: int) -> tuple[np.ndarray, float] | None:
        image = folder.frame(frame)
        return None if image is None else (image.values, image.sigma_relative)

    evidence = ClipEvidence(camera, np.arange(t) / 3.0, masks, lambda k: labels[k], depth)
    shape = PrimitiveFit(camera.camera(), ShapeFitConfig(window_px=96)).estimate(
        ClipSightings(evidence, 0, PoseConfig()), None, KINDS[1:3]
    )
    assert shape is not None
    assert shape.kind == "sphere"
    assert 0.233 < shape.size[0] < 0.236
    assert abs(shape.size[0] - 0.2345) < 2 * shape.sigma_size[0] < 0.012
