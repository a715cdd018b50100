"""How sure refined poses are: exact for linear problems, honest on a played clip, wide along the line of sight."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.refine.interaction.blocks import BlockSystem
from reenact.refine.interaction.posterior import (
    PosteriorConfig,
    about_origins,
    as_uncertain,
    scale_sigma,
    with_scale,
)
from reenact.refine.interaction.results import InteractionResult, refine_interaction
from reenact.refine.interaction.terms_tracks import TrackTermConfig
from reenact.scene import PoseCovariance
from tests import scenes
from tests.refine.interaction.played import Played, disturb, play

SEEDS = (3, 4)


@pytest.mark.parametrize("frames", [3, 8, 9])
def test_covariance_is_the_inverse_of_the_whole_matrix(frames: int) -> None:
    rng, k = np.random.default_rng(frames), 4
    system = BlockSystem(frames, k)
    rows = np.arange(frames - 2)
    every = [(d, slice(0, k), rng.normal(size=(len(rows), 5, k))) for d in range(3)]
    system.add(rows, rng.normal(size=(len(rows), 5)), np.ones(len(rows)), every)
    H = np.zeros((frames * k, frames * k))
    for d, blocks in enumerate(system.matrix):
        for i, block in enumerate(blocks):
            H[i * k : (i + 1) * k, (i + d) * k : (i + d + 1) * k] = block
            H[(i + d) * k : (i + d + 1) * k, i * k : (i + 1) * k] = block.T
    prior = rng.uniform(0.5, 2.0, k)
    inverse = np.linalg.inv(H + np.diag(np.tile(prior, frames)))
    wanted = np.stack([inverse[i * k : (i + 1) * k, i * k : (i + 1) * k] for i in range(frames)])
    assert np.allclose(system.covariance(prior), wanted, atol=1e-10)


def test_who_measures_badly_from_frame_to_frame_is_taken_to_drift_as_well() -> None:
    terms, config = TrackTermConfig(), PosteriorConfig()
    assert as_uncertain(terms, 0.01, 0.007, config) == terms, "a clip of little noise is as sure as before"
    noisy = as_uncertain(terms, 0.01, 0.03, config)
    noisier = as_uncertain(terms, 0.01, 0.04, config)
    assert noisier.drift - noisy.drift == pytest.approx(0.01 * config.drift_over_noise)
    assert noisy.drift > terms.drift
    assert noisy.own_drift > terms.own_drift
    assert as_uncertain(terms, 0.2, 0.03, config).drift == 0.2, "what is seen of the drift counts"


def test_a_turn_about_the_middle_moves_the_origin() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6)) * 1e-3
    T = np.eye(4)
    T[:3, :3] = so3_exp(rng.normal(size=3))
    middle = np.array([0.1, -0.2, 0.3])
    found = about_origins((root @ root.T)[None, None], T[None, None], middle[None])[0, 0]
    draws = rng.normal(size=(20_000, 6)) @ root.T
    arm = -T[:3, :3] @ middle
    turned = (so3_exp(draws[:, 3:]) @ arm) - arm
    sample = np.cov(np.concatenate([draws[:, :3] + turned, draws[:, 3:]], axis=1).T)
    assert np.abs(sample - found).max() < 0.05 * np.abs(found).max()


@pytest.fixture(scope="module")
def played() -> list[tuple[Played, InteractionResult]]:
    truth, out = play(15.0), []
    for seed in SEEDS:
        raw = disturb(truth, 0.008, 0.2, seed=seed)
        out.append((truth, refine_interaction(raw.objects, raw.hands, raw.camera, raw.support, raw.t_ns)))
    return out


def test_errors_are_within_two_sigma_and_confidence_follows(
    played: list[tuple[Played, InteractionResult]],
) -> None:
    inside, wide = [], []
    for truth, result in played:
        off = np.linalg.norm(
            result.objects.T_world_object[:, 0, :3, 3] - truth.objects.T_world_object[:, 0, :3, 3], axis=1
        )
        place = result.covariance.covariance[:, 0, :3, :3]
        sigma = np.sqrt(np.trace(place, axis1=1, axis2=2))
        inside.append((off < 2 * sigma).mean())
        wide.append(sigma.mean())
        order = np.argsort(sigma)
        assert result.objects.confidence[order[0]] >= result.objects.confidence[order[-1]]
        ray = truth.objects.T_world_object[:, 0, :3, 3] - truth.camera.T_world_camera[:, :3, 3]
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        along = np.sqrt(np.einsum("ti,tij,tj->t", ray, place, ray))
        across = np.sqrt(np.maximum(sigma**2 - along**2, 0) / 2)
        assert np.median(along / across) > 1.5, "depth's common error is in it"
    assert np.mean(inside) > 0.9
    assert 0.001 < np.mean(wide) < 0.03
    assert result.covariance.object_ids == ("block", "left hand", "right hand")


def test_what_is_not_seen_for_long_is_less_sure() -> None:
    truth = play(10.0)
    raw = disturb(truth, 0.008, 0.0, seed=9)
    seen = raw.objects.valid.copy()
    carried = (truth.t > 1.2) & (truth.t < 2.0)
    seen[carried] = False
    hidden = dataclasses.replace(raw.objects, valid=seen)
    blind = refine_interaction(hidden, raw.hands, raw.camera, raw.support, raw.t_ns)
    clear = refine_interaction(raw.objects, raw.hands, raw.camera, raw.support, raw.t_ns)

    def middle_of(covariance: PoseCovariance) -> float:
        return float(np.trace(covariance.covariance[carried, 0, :3, :3], axis1=1, axis2=2).mean())

    assert middle_of(blind.covariance) > 1.1 * middle_of(clear.covariance)


def test_a_table_that_is_higher_than_stated_is_found_out(
    played: list[tuple[Played, InteractionResult]],
) -> None:
    truth, _ = played[0]
    raw = disturb(truth, 0.004, 0.0, seed=6)
    low = dataclasses.replace(raw.support, offset=truth.support.offset - 0.02, sigma_offset=0.012)
    made = refine_interaction(raw.objects, raw.hands, raw.camera, low, raw.t_ns).refined
    found = made.bodies.table
    assert np.ptp(found) < 1e-3, "one error for the whole clip"
    assert 0.005 < found.mean() < 0.025


def test_what_sizes_the_scene_widens_the_line_of_sight_only() -> None:
    eye, places = np.zeros((1, 3)), np.array([[[0.0, 0.0, 0.8]]])
    wide = with_scale(np.zeros((1, 1, 6, 6)), places, eye, np.array([0.06]))[0, 0]
    assert np.sqrt(wide[2, 2]) == pytest.approx(0.048)
    assert np.abs(wide).sum() == pytest.approx(wide[2, 2])
    hands, camera = scenes.hands(4), scenes.camera(4)
    assumed = dataclasses.replace(
        hands, hand_length_source="adult_prior", sigma_camera=np.full((4, 2, 3), 0.09)
    )
    assert scale_sigma(assumed, camera, PosteriorConfig()) == pytest.approx(0.06)
    measured = dataclasses.replace(assumed, sigma_camera=np.full((4, 2, 3), 0.006))
    assert scale_sigma(measured, camera, PosteriorConfig()) < 0.015
