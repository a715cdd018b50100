"""What a mask's edges can do to a score, and what the report says of fits."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.doubt import score_noise, unseen_turn
from reenact.perception.pose.fit import DepthFit, Fit, score, summary
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.symmetry import Symmetry
from reenact.perception.pose.terms import Anchored
from tests.perception.pose.solids import cylinder


def _sighting(rows: int, columns: int) -> Sighting:
    label = np.zeros((120, 160), np.uint8)
    label[10 : 10 + rows, 10 : 10 + columns] = 16
    return Sighting(label, 16, True, np.eye(4), 0.0)


def test_scores_of_thin_things_and_of_bad_masks_tell_less() -> None:
    config, good, bad = PoseConfig(), Fit(0.97, 1.0, 0.9), Fit(0.8, 1.0, 0.5)
    crate, knife = _sighting(80, 80), _sighting(80, 5)
    assert score_noise(good, knife, config) > 2 * score_noise(good, crate, config)
    assert score_noise(bad, crate, config) > 2 * score_noise(good, crate, config)


def test_depth_that_is_not_there_is_neither_good_nor_bad() -> None:
    without, agrees, differs = (
        Fit(0.9, 1.0, 0.9),
        Fit(0.9, 1.0, 0.9, DepthFit(0.002, 1.0)),
        Fit(0.9, 1.0, 0.9, DepthFit(0.1, 0.1)),
    )
    assert without.depth_agrees(0.8)
    assert agrees.depth_agrees(0.8)
    assert not differs.depth_agrees(0.8)
    assert score(agrees) > score(differs) > score(without) - 1e-9
    assert summary([without])["depth_misfit_m"] is None
    assert summary([without, agrees, differs])["depth_misfit_m"] == pytest.approx(0.051)
    assert summary([])["overlap_of_outlines"] is None


def test_an_unseen_turn_about_an_axis_leaves_the_axis_where_it_is() -> None:
    vertices, faces = cylinder(0.03, 0.1)
    model = ObjectModel.of(
        vertices + [0.2, 0.0, 0.0], faces, symmetry=Symmetry(np.array([0.0, 0, 1]), np.array([2, 2, 1]))
    )
    spread = unseen_turn(np.eye(4), model, Anchored(np.zeros((0, 3)), 0.0, np.zeros((6, 6))))
    values, axes = np.linalg.eigh(spread)
    assert (values[:-1] < 1e-9).all()
    step = axes[:, -1] / axes[5, -1] * 1e-3
    moved = step[:3] + np.cross(step[3:], model.centre)
    assert np.abs(moved).max() < 1e-12, "the middle stays"
    known = Anchored(np.zeros((3, 3)), 0.0, np.zeros((6, 6)))
    assert (unseen_turn(np.eye(4), model, known) == 0).all(), "three followed points show the turn"
