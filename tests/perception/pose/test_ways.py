"""Ways to follow an object: which is taken when, what is left of doubt, and points that carry a pose through a bad mask."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import ObjectPoses, PoseStart, Sighting
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.tracker import PoseTracker
from reenact.perception.pose.ways import chosen, together
from reenact.rendering.mesh_depth import MeshDepthRenderer, View
from tests.perception.pose.solids import box, cylinder, drawn_sightings

CONFIG = PoseConfig()
MODEL = ObjectModel.of(*cylinder(0.03, 0.1))
SECONDS = np.arange(60) / 15


def _way(z: np.ndarray, value: np.ndarray, turn: float = 0.0) -> SimpleNamespace:
    T = np.tile(np.eye(4), (len(z), 1, 1))
    T[:, 2, 3], T[:, :3, :3] = z, so3_exp(np.array([turn, 0.0, 0.0]))
    valid = value > 0
    return SimpleNamespace(
        T=T,
        valid=valid,
        confidence=np.ones(len(z)),
        value=value,
        covariance=np.tile(1e-6 * np.eye(6), (len(z), 1, 1)),
    )


def test_a_way_is_left_where_it_was_lost_for_one_that_came_from_the_other_side() -> None:
    half = SECONDS < 2
    first = _way(np.where(half, 0.6, 0.3), np.where(half, 1.0, 0.7))
    second = _way(np.where(half, 0.3, 0.6), np.where(half, 0.7, 1.0))
    path, _ = chosen([first, second], MODEL, SECONDS, CONFIG)
    assert path.tolist() == [0 if early else 1 for early in half]
    T, valid, _, _ = together([first, second], path, np.zeros((60, 2)), MODEL)
    assert valid.all()
    assert T[:, 2, 3] == pytest.approx(np.full(60, 0.6))


def test_a_way_is_not_left_for_a_few_frames_that_another_fits_better() -> None:
    right = _way(np.full(60, 0.6), np.where((SECONDS > 1.9) & (SECONDS < 2.2), 0.6, 1.0))
    wrong = _way(np.full(60, 0.3), np.full(60, 0.9))
    path, share = chosen([right, wrong], MODEL, SECONDS, CONFIG)
    assert (path == 0).all()
    assert share[:, 0].min() > 0.7


def test_two_ways_that_agree_alike_are_both_in_the_covariance() -> None:
    z = np.full(60, 0.7)
    upright, turned = _way(z, np.full(60, 0.9)), _way(z, np.full(60, 0.9), np.pi)
    path, share = chosen([upright, turned], MODEL, SECONDS, CONFIG)
    _, _, confidence, covariance = together([upright, turned], path, share, MODEL)
    assert np.sqrt(np.trace(covariance[30, 3:, 3:])) == pytest.approx(np.pi / np.sqrt(2), rel=1e-2)
    assert confidence == pytest.approx(np.full(60, 0.5), abs=1e-6)
    worse = _way(z, np.full(60, 0.6), np.pi)
    path, share = chosen([upright, worse], MODEL, SECONDS, CONFIG)
    _, _, confidence, covariance = together([upright, worse], path, share, MODEL)
    assert np.sqrt(np.trace(covariance[30, 3:, 3:])) < 0.4
    same = _way(z, np.full(60, 0.9))
    path, share = chosen([upright, same], MODEL, SECONDS, CONFIG)
    assert together([upright, same], path, share, MODEL)[2] == pytest.approx(np.ones(60)), (
        "the same is no doubt"
    )


VIEW = View(np.array([[300.0, 0, 99.5], [0, 300.0, 74.5], [0, 0, 1]]), 200, 150)
CAMERA = PinholeCamera(300.0, 300.0, 99.5, 74.5, 200, 150)
BAR = box(0.05, 0.04, 0.2)


def _leaking() -> tuple[ObjectPoses, np.ndarray]:
    """A bar that is turned while, from the second frame on, its mask holds as large a patch of what lies beside it."""
    T = np.stack(
        [
            make_T(so3_exp(np.array([0.2, 1.2 + 0.02 * k, 0.1])), np.array([-0.02, -0.04, 0.6]))
            for k in range(4)
        ]
    )
    seen: list[Sighting] = drawn_sightings(BAR, T, VIEW, depth_sigma=None)
    rng = np.random.default_rng(1)
    places = rng.uniform(-0.5, 0.5, (600, 3)) * [0.05, 0.04, 0.2]
    axis, side = rng.integers(0, 3, 600), rng.choice([-0.5, 0.5], 600)
    places[np.arange(600), axis] = side * np.array([0.05, 0.04, 0.2])[axis]
    outward = np.eye(3)[axis] * side[:, None]
    at = places @ T[0, :3, :3].T + T[0, :3, 3]
    places = places[((outward @ T[0, :3, :3].T) * at).sum(1) < -0.05][:30]
    out = []
    for k, sighting in enumerate(seen):
        label = sighting.label.copy()
        if k >= 1:
            rows = np.flatnonzero((label == 16).any(1))
            label[rows[-1] - 3 : rows[-1] + 45, 60:100] = 16
        p = places @ T[k, :3, :3].T + T[k, :3, 3]
        flat, idx = p[:, :2] / p[:, 2:], np.arange(len(places), dtype=np.int64)
        points = np.concatenate([flat, np.ones((len(flat), 1))], 1)
        out.append(
            dataclasses.replace(
                sighting, label=label, resting=False, track_idx=idx, track_flat=flat, track_points=points,
                track_sigma=np.zeros(len(flat)),
            )
        )  # fmt: skip
    with MeshDepthRenderer(View(np.eye(3), 112, 112), [BAR], near=0.05, far=20) as renderer:
        poses = PoseTracker(renderer, 0, CAMERA, CONFIG).track(ObjectModel.of(*BAR), out, PoseStart(0, T[0]))
    return poses, np.linalg.norm(poses.T_world_object[:, :3, 3] - T[:, :3, 3], axis=1)


def test_followed_points_carry_a_pose_through_a_mask_that_leaks() -> None:
    poses, off = _leaking()
    assert poses.valid.all()
    assert off.max() < 0.02
    assert poses.notes["fit"]["overlap_of_outlines"] < CONFIG.min_iou, (
        "by the outline alone it would be refused"
    )
