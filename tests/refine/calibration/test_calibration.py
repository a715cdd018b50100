"""Planted scales, shifts, planes and hand places are found again; what cannot be told says so."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.hands.posed import skin_of_joints
from reenact.hands.skeleton import HandSkeleton
from reenact.refine.calibration.affine import AffineDepth, NothingInCommon, fit_affine
from reenact.refine.calibration.background import background_template
from reenact.refine.calibration.chunks import DepthChunk, apply_maps, join_chunks
from reenact.refine.calibration.hand_depth import HandDepth, joint_median_shift
from reenact.refine.calibration.hand_scale import scale_from_ratios, width_ratio
from reenact.refine.calibration.height import HeightClue, lowest_point, plane_from_clues, usual_size
from reenact.refine.calibration.support import SupportConfig, plane_from_depth
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import View

VIEW = View.of(np.array([230.0, 230.0, 79.5, 59.5]), 160, 120)


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_affine_map_is_found_among_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.uniform(0.5, 2.0, 400)
    scale, shift = rng.uniform(0.5, 2), rng.uniform(-0.2, 0.2)
    b = scale * a + shift + rng.normal(size=400) * 0.004
    b[:80] += rng.uniform(0.3, 1.0, 80)
    a[80:90] = 0
    found = fit_affine(a, b)
    assert found.scale == pytest.approx(scale, abs=0.006)
    assert found.shift == pytest.approx(shift, abs=0.008)
    assert found.count == 390


def test_flat_things_get_a_scale_only_and_empty_ones_none() -> None:
    rng = np.random.default_rng(0)
    flat = 1.0 + rng.normal(size=100) * 1e-3
    found = fit_affine(flat, 1.3 * flat)
    assert (found.scale, found.shift) == (pytest.approx(1.3), 0.0)
    with pytest.raises(NothingInCommon):
        fit_affine(np.zeros(50), np.ones(50))


def test_maps_chain() -> None:
    first, second = AffineDepth(1.2, 0.1, 0.03), AffineDepth(0.5, -0.2, 0.04)
    both = first.then(second)
    z = np.array([0.0, 1.0, 2.0])
    assert np.allclose(both(z)[1:], second(first(z))[1:])
    assert both(z)[0] == 0
    assert both.sigma_relative == pytest.approx(0.05)


def test_chunks_come_together_object_by_object() -> None:
    rng = np.random.default_rng(1)
    label = np.zeros((20, 30), np.uint8)
    label[5:15, 3:12], label[4:16, 18:28] = 2, 16
    true = rng.uniform(0.8, 1.6, (12, 20, 30))
    spoiled = {0: (1.3, 0.05), 2: (0.8, 0.2), 16: (1.1, -0.1)}
    second, third = true[4:9].copy(), true[7:12].copy()
    for code, (a, b) in spoiled.items():
        second[:, label == code] = (second[:, label == code] - b) / a
        third[:, label == code] = (third[:, label == code] - 2 * b) / a**2

    def chunk(first: int, depth: np.ndarray) -> DepthChunk:
        return DepthChunk(first, len(depth), lambda frame: depth[frame - first])

    chunks = [chunk(0, true[:6]), chunk(4, second), chunk(7, third)]
    maps = join_chunks(chunks, lambda _: label, [2, 16])
    for piece, change in zip(chunks, maps, strict=True):
        for k in range(piece.first, piece.end):
            mended = apply_maps(piece.read(k), label, change)
            assert np.abs(mended - true[k])[label > 0].max() < 1e-6
    with pytest.raises(NothingInCommon, match="overlap"):
        join_chunks([chunks[0], chunk(9, true[9:])], lambda _: label, [2])


def test_drifting_frames_return_to_the_room_behind_them() -> None:
    rng = np.random.default_rng(2)
    room = rng.uniform(1.0, 3.0, (24, 32))
    scale, shift = rng.uniform(0.9, 1.1, 9), rng.uniform(-0.05, 0.05, 9)
    frames = [
        (room - b) / a * (1 + 0.003 * rng.normal(size=room.shape)) for a, b in zip(scale, shift, strict=True)
    ]
    front = np.zeros((9, 24, 32), bool)
    for k in range(9):
        front[k, 5:15, 3 * k : 3 * k + 6] = True
        frames[k][front[k]] = 0.5
    template, maps = background_template(lambda k: frames[k], lambda k: ~front[k], range(9))
    assert (template > 0.9).all(), "each pixel is background in most frames"
    mended = np.stack([maps[k](frames[k]) for k in range(9)])
    before = np.std([f[~front.any(0)].mean() for f in frames])
    after = np.std([f[~front.any(0)].mean() for f in mended])
    assert after < 0.1 * before


@pytest.fixture(scope="module")
def hand_depth():
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    with HandDepth(VIEW) as drawn:
        yield drawn


def a_hand(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0.1, 0.7, 20) * np.tile([1, 0.1, 1, 1], 5)
    local = HandSkeleton.adult(1).joints_wrist(angles[None])[0]
    R = so3_exp(rng.normal(size=3) * 1.0)
    return (local - local.mean(0)) @ R.T + [
        rng.uniform(-0.04, 0.04),
        rng.uniform(-0.03, 0.03),
        rng.uniform(0.5, 0.8),
    ]


def test_drawing_the_hand_places_it_better_than_depth_at_its_joints(hand_depth: HandDepth) -> None:
    ours, seeds = [], []
    for seed in range(6):
        true = a_hand(seed)
        rng = np.random.default_rng([9, seed])
        depth = hand_depth.drawn(true, 1, 0.189)
        mask = depth > 0
        depth = np.where(mask, depth * (1 + 0.01 * rng.normal(size=depth.shape)), 1.4).astype(np.float32)
        depth[:, 85:95] = np.where(
            mask[:, 85:95], depth[:, 85:95] - 0.06, depth[:, 85:95]
        )  # a stick before it
        mask[:, 85:95] = False
        guess = true * rng.uniform(0.85, 1.15)
        guess = guess.mean(0) + (true - true.mean(0))  # as far as thought, true size
        found = hand_depth.align(guess, 1, 0.189, depth, mask)
        ours.append(abs((guess + found.shift)[:, 2].mean() - true[:, 2].mean()))
        other = joint_median_shift(guess, depth, VIEW)
        seeds.append(abs((guess + other.shift)[:, 2].mean() - true[:, 2].mean()))
    assert np.median(ours) < 0.003
    assert np.max(ours) < 0.012
    assert np.median(ours) < 0.4 * np.median(seeds)


def test_without_pixels_the_hand_stays_where_it_is(hand_depth: HandDepth) -> None:
    found = hand_depth.align(a_hand(0), 1, 0.189, np.zeros((120, 160), np.float32), np.ones((120, 160), bool))
    assert found.count == 0
    assert (found.shift == 0).all()


def test_the_hands_size_gives_relative_depth_its_metres(hand_depth: HandDepth) -> None:
    drawn = [hand_depth.drawn(a_hand(seed), 1, 0.189) for seed in range(3)]
    ratios = np.array(
        [1 / hand_depth.ratio(a_hand(k), 1, 0.189, d / 2.7, d > 0)[0] for k, d in enumerate(drawn)]
    )
    found = scale_from_ratios(ratios, "hand_skin")
    assert found is not None
    assert found.scale == pytest.approx(2.7, rel=1e-3)
    assert found.sigma_relative >= 0.06
    assert scale_from_ratios(ratios, "hand_skin", focal_sigma=0.15).sigma_relative > 0.15
    assert scale_from_ratios(np.zeros(0), "hand_skin") is None
    skin = skin_of_joints(a_hand(0), 1, 0.189)
    assert width_ratio(skin, skin / 2.7) == pytest.approx(2.7, rel=1e-6)


@pytest.mark.parametrize("know_up", [True, False])
def test_the_table_is_found_below_the_things(know_up: bool) -> None:
    rng = np.random.default_rng(3)
    table = np.column_stack([rng.uniform(-0.5, 0.5, (900, 2)), 0.74 + rng.normal(size=900) * 0.004])
    wall = np.column_stack([rng.uniform(-1, 1, 500), np.full(500, 1.2), rng.uniform(0, 2, 500)])
    things = np.column_stack([rng.uniform(-0.2, 0.2, (60, 2)), rng.uniform(0.75, 0.95, 60)])
    points = np.concatenate([table, wall])
    up = np.array([0.0, 0, 1]) if know_up else None
    plane = plane_from_depth(points, np.full(len(points), 0.005), up, SupportConfig(), things)
    assert plane.valid
    assert plane.normal_world[2] > 0.9995
    assert abs(plane.offset - 0.74) < 3 * plane.sigma_offset + 0.001
    assert plane.sigma_offset < 0.005
    assert plane.origin == "depth"
    nothing = plane_from_depth(wall, np.full(500, 0.005), np.array([0.0, 0, 1]), SupportConfig(), things)
    assert not nothing.valid


def test_height_clues_are_weighed_and_the_odd_one_is_left_out() -> None:
    clues = [
        HeightClue(0.75, 0.02, "object"),
        HeightClue(0.73, 0.02, "object"),
        HeightClue(1.4, 0.03, "hand"),
    ]
    plane = plane_from_clues(clues, 0.02, SupportConfig())
    assert plane.offset == pytest.approx(0.74, abs=0.005)
    assert 0.008 < plane.sigma_offset < 0.03
    assert plane.origin == "objects"
    assert not plane_from_clues([], 0.02, SupportConfig()).valid
    assert plane_from_clues(clues, 0.02, SupportConfig(height=0.5)).offset == 0.5
    assert lowest_point(np.array([0.8, 0.9]), 0.01, SupportConfig()) is None
    low = lowest_point(np.linspace(0.8, 1.2, 40), 0.01, SupportConfig())
    assert low is not None
    assert abs(low.height - 0.8) < 2 * low.sigma


@pytest.mark.parametrize("seed", range(3))
def test_what_hands_share_does_not_average_out_and_the_stated_spread_covers_the_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ratios = []
    for _ in range(60):
        wrong = rng.normal()
        clues = [HeightClue(0.7 + 0.02 * rng.normal() + 0.05 * wrong, 0.02, "object", 0.05) for _ in range(6)]
        plane = plane_from_clues(clues, 0.02, SupportConfig())
        assert plane.sigma_offset > 0.05
        ratios.append((plane.offset - 0.7) / plane.sigma_offset)
    assert (np.abs(ratios) < 2).mean() > 0.9
    assert np.std(ratios) > 0.6, "and is not wider than it needs to be"


def test_usual_sizes_help_only_where_something_else_speaks() -> None:
    size = usual_size(1.2, 0.5, 0.1, SupportConfig())
    assert size.height == pytest.approx(1.2 - 0.45)
    assert size.sigma == pytest.approx(0.6 * 0.45)
    assert not plane_from_clues([size], 0.02, SupportConfig()).valid
    vague = HeightClue(0.1, 0.04, "hand", 0.3)
    both = plane_from_clues([vague, size], 0.02, SupportConfig())
    assert vague.height < both.offset < size.height
    assert both.sigma_offset < vague.total


def test_of_two_heights_that_differ_neither_is_left_out_and_a_size_alone_is_no_plane():
    hand, size = HeightClue(-1.26, 0.04, "hand", 0.21), HeightClue(-0.35, 0.21, "size")
    for clues in ([hand, size], [size, hand]):
        plane = plane_from_clues(clues, 0.02, SupportConfig())
        assert plane.valid
        assert plane.origin == "hands"
        assert -0.9 < plane.offset < -0.7
        assert plane.sigma_offset > 0.3
    sizes = [HeightClue(-0.35 - 0.01 * k, 0.05, "size") for k in range(3)]
    assert not plane_from_clues([*sizes, HeightClue(-3.0, 0.1, "hand", 0.1)], 0.02, SupportConfig()).valid
