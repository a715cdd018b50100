"""Laws every finger method keeps: limits, largest steps, open and closed hands, recovery of known postures, no lag."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from reenact.geometry.filters import time_shift
from reenact.retarget.finger_methods.hand import HandModel
from reenact.retarget.finger_methods.net import (
    FingerNet,
    NetConfig,
    NoFingerNet,
    canonical_hand,
    find_net,
    hand_shape,
    save_net,
)
from reenact.retarget.finger_methods.tips import wanted_tips
from reenact.retarget.finger_methods.vectors import (
    DexPilotConfig,
    VectorConfig,
    VectorTerms,
    dexpilot_task,
    fade,
    vector_task,
)
from reenact.retarget.fingers import FingerConfig, FingerMethod, limit_step, solve_fingers
from reenact.retarget.targets import HandTargets
from reenact.robots.registry import load_robot
from tests.retarget.test_fingers import bent, targets_of

METHODS = get_args(FingerMethod)
HANDS = ("floating_leap", "floating_allegro", "floating_shadow", "unitree_g1_inspire", "unitree_g1_dex3")
NETS = (*HANDS, "floating_sharpa")


@functools.cache
def model(name: str, side: str = "right") -> HandModel:
    return HandModel(load_robot(name), side)  # type: ignore[arg-type]


@functools.cache
def closing(frames: int = 45) -> HandTargets:
    """A hand that closes evenly from flat to a fist."""
    return targets_of(bent(np.linspace(0.0, 1.0, frames)))


def own_posture(name: str, frames: int = 45) -> np.ndarray:
    """A smooth motion of the robot's own free joints, inside the limits [t n]."""
    m, rng = model(name), np.random.default_rng(3)
    share = 0.5 + 0.25 * np.sin(np.linspace(0, 4, frames)[:, None] + rng.uniform(0, 6, len(m.lower)))
    return m.lower + share * (m.upper - m.lower)


def asking(targets: HandTargets, m: HandModel, tips: np.ndarray) -> HandTargets:
    """The same targets asking the right hand for a robot's own fingertips."""
    out = targets.tips_wrist.copy()
    columns = [("thumb", "index", "middle", "ring", "pinky").index(n) for n in m.hand.finger_names]
    out[:, 1] = tips[:, [-1]]  # fingers the robot lacks are averaged into its last one
    out[:, 1, columns] = tips
    return replace(targets, tips_wrist=out)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", HANDS)
def test_limits_hold_exactly_and_no_joint_jumps(name: str, method: FingerMethod) -> None:
    """Even when the hand shuts and opens from one frame to the next, and speed limits are waived."""
    targets = targets_of(bent(np.repeat([0.0, 1.0, 0.0, 1.0], 4)))
    q = solve_fingers(model(name).robot, targets, 1, FingerConfig(method=method, keep_speed_limits=False))
    robot, idx = model(name).robot, model(name).hand.joint_idx
    assert (q >= robot.lower[idx]).all()
    assert (q <= robot.upper[idx]).all()
    assert np.abs(np.diff(q, axis=0)).max() <= 0.5
    full = np.tile(robot.home_q, (len(q), 1))
    full[:, idx] = q
    np.testing.assert_allclose(robot.couple(full), full, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["floating_leap", "floating_shadow", "unitree_g1_inspire"])
def test_a_flat_hand_is_flat_and_closing_closes_steadily(name: str, method: FingerMethod) -> None:
    m = model(name)
    q = solve_fingers(m.robot, closing(), 1, FingerConfig(method=method))
    fingers = [k for k, f in enumerate(m.hand.finger_names) if f != "thumb"]
    reach = np.linalg.norm(m.points(m.read(q))[:, fingers], axis=-1).mean(axis=1)
    straight = np.linalg.norm(m.points(np.clip(0.0, m.lower, m.upper)[None])[0, fingers], axis=-1).mean()
    human = np.linalg.norm(closing().tips_wrist[:, 1, 1:5], axis=-1).mean(axis=1)
    assert reach[0] > min(0.9 * straight, human[0] - 0.02)
    assert reach[-1] < 0.75 * reach[0]
    assert np.diff(reach[::4]).max() < 0.02 * reach[0]  # monotone but for a small wobble


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_late(method: FingerMethod) -> None:
    seconds = np.arange(90) / 30
    amount = 0.45 + 0.25 * np.sin(5 * seconds) + 0.1 * np.sin(11 * seconds)
    m = model("floating_leap")
    q = solve_fingers(m.robot, targets_of(bent(amount)), 1, FingerConfig(method=method))
    reach = -np.linalg.norm(m.points(m.read(q))[:, 1:], axis=-1).mean(axis=1)
    assert abs(time_shift(amount[:, None], reach[:, None], seconds)) * 30 < 0.3


@pytest.mark.parametrize("name", HANDS)
@pytest.mark.parametrize(("method", "most"), [("hop", 0.003), ("vector", 0.004), ("net", 0.010)])
def test_a_robots_own_fingertips_are_found_again(name: str, method: FingerMethod, most: float) -> None:
    m = model(name)
    tips = m.points(own_posture(name))
    targets = asking(closing(), m, tips)
    config = FingerConfig(method=method, vector=VectorConfig(scale=1.0), keep_speed_limits=False)
    q = solve_fingers(m.robot, replace(targets, angles=targets.angles * 0 + 0.3), 1, config)
    found = m.points(m.read(q))
    assert np.linalg.norm(found - tips, axis=-1).mean() < most


@pytest.mark.parametrize("name", NETS)
def test_shipped_networks_fit_their_hand_on_both_sides_and_are_small(name: str) -> None:
    right, left = model(name), model(name, "left")
    net, other = find_net(right, NetConfig()), find_net(left, NetConfig())
    share = np.random.default_rng(1).uniform(size=(50, right.lower.size))
    for m, n in ((right, net), (left, other)):
        canonical = canonical_hand(m)
        tips = m.points(canonical.to_x(share))[:, : m.n_fingers]
        guess = canonical.to_x(n.share(tips * canonical.mirror))
        assert np.linalg.norm(m.points(guess)[:, : m.n_fingers] - tips, axis=-1).mean() < 0.012
        np.testing.assert_allclose(canonical.to_share(canonical.to_x(share)), share, atol=1e-12)


def test_a_network_survives_its_file_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    m, rng = model("floating_leap"), np.random.default_rng(0)
    limits, tips = hand_shape(m)
    sizes = (12, 7, 7, 7, 7, 16)
    weights = tuple(
        rng.normal(size=(b, a)).astype(np.float16).astype(float).T for a, b in itertools.pairwise(sizes)
    )
    biases = tuple(np.zeros(b) for b in sizes[1:])
    net = FingerNet(weights, biases, np.zeros(12), 0.05, limits, tips)
    path = tmp_path / "net.safetensors"
    save_net(path, net, {"made_by": "a test"})
    x = tips[:, :4]
    np.testing.assert_allclose(find_net(m, NetConfig(path)).share(x), net.share(x), atol=1e-6)
    with pytest.raises(NoFingerNet, match="fits the right hand of floating_shadow"):
        find_net(model("floating_shadow"), NetConfig(path))
    path.write_bytes(b"not a network")
    with pytest.raises(NoFingerNet, match="no finger network"):
        find_net(m, NetConfig(tmp_path / "absent.safetensors"))


@pytest.mark.parametrize("name", ["floating_shadow", "unitree_g1_inspire"])
def test_slopes_of_vectors_are_those_of_finite_differences(name: str) -> None:
    m, x = model(name), own_posture(name, 5)
    tips = m.points(own_posture(name, 5)[::-1])
    for task in (
        vector_task(m, tips, VectorConfig(scale=1.1)),
        dexpilot_task(m, tips, np.arange(5) / 30, DexPilotConfig()),
    ):
        terms = VectorTerms(m, task, np.ones(5))
        rows = terms(x)
        gradient = 2 * (np.swapaxes(rows.jacobian, 1, 2) @ rows.residual[..., None])[..., 0]
        for k in range(x.shape[1]):
            step = np.zeros(x.shape[1])
            step[k] = 1e-5
            slope = (terms(x + step).cost - terms(x - step).cost) / 2e-5
            np.testing.assert_allclose(
                gradient[:, k], slope, rtol=1e-3, atol=1e-3 * (1 + np.abs(gradient).max())
            )


def test_dexpilot_closes_a_pinch_that_vector_leaves_open() -> None:
    m = model("floating_allegro")
    tips = np.tile(wanted_tips(m.hand, closing().tips_wrist[20:21, 1]), (45, 1, 1))
    tips[:, 1] = tips[:, 0] + [0.0, 0.0, 0.02]  # index 2 cm from the thumb
    targets = asking(closing(), m, tips)
    gap = {}
    for method in ("vector", "dexpilot"):
        x = m.read(solve_fingers(m.robot, targets, 1, FingerConfig(method=method)))  # type: ignore[arg-type]
        gap[method] = float(np.linalg.norm(m.points(x)[15, 0] - m.points(x)[15, 1]))
    assert gap["dexpilot"] < 0.01
    assert gap["dexpilot"] < gap["vector"]


def test_fading_keeps_time_and_total() -> None:
    seconds = np.arange(60) / 30
    pulse = ((seconds > 0.8) & (seconds < 1.2)).astype(float)[:, None]
    soft = fade(pulse, seconds, 0.15)
    assert np.isclose(
        (soft * seconds[:, None]).sum() / soft.sum(),
        (pulse * seconds[:, None]).sum() / pulse.sum(),
        atol=1e-6,
    )
    assert np.abs(np.diff(soft, axis=0)).max() < 0.3
    np.testing.assert_allclose(fade(np.ones((60, 2)), seconds, 0.15), 1.0)


def test_steps_of_followers_are_limited_too() -> None:
    m = model("unitree_g1_inspire")
    x = np.stack([m.lower, m.upper, m.lower, m.upper])
    q = m.write(limit_step(m, x, 0.5))
    assert np.abs(np.diff(q, axis=0)).max() <= 0.5
