"""The learned methods behind the contract: same request, same answer; turned clip, turned answer; good roots."""
# ruff: noqa: E402 -- without torch the whole file is skipped, before anything imports it

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learned root needs torch (extra `learn`)")
torch.set_num_threads(1)

from reenact.geometry.rotations import rotation_angle
from reenact.retarget.arms import ArmConfig
from reenact.retarget.root.choose import find_root
from reenact.retarget.root.contract import RobotArms, RootRequest, RootResult, RootScore, up_direction
from reenact.retarget.root.keyposes import KeyposeConfig
from reenact.retarget.root.learned.config import LearnedConfig
from reenact.retarget.root.learned.method import learned_root, propose_roots, representatives, stood_upright
from reenact.retarget.root.polish import PolishConfig
from reenact.retarget.root.score import ScoreConfig, judge_root
from reenact.retarget.root.search import SearchConfig
from reenact.retarget.targets import make_targets
from reenact.robots.model import Robot
from tests.retarget.motions import hands_at, own_motion, times, yaw

T_NS = times(41, 20.0)
PLACE = yaw(1.1, 2.0, -1.0, 0.4)
FEW = LearnedConfig(samples=40, medoids=2, proposals=4)
QUICK = SearchConfig(
    keyposes=KeyposeConfig(coarse=3, fine=5, fast=1, starts=1), keep_second=2, keep_polished=1, polish=(PolishConfig(),)
)  # fmt: skip


@pytest.fixture(scope="module")
def motion(g1: Robot) -> np.ndarray:
    return own_motion(g1, T_NS, seed=4)


def request_at(
    T: np.ndarray, motion: np.ndarray, arms: RobotArms, valid: np.ndarray | None = None, frame: str = "world"
) -> RootRequest:
    targets = make_targets(hands_at(T @ motion, valid, frame), T_NS, T_NS)

    def judge(root: np.ndarray) -> RootScore:
        return judge_root(root, targets.every(12), arms, ArmConfig(), ScoreConfig())[0]

    return RootRequest(targets, arms, up_direction(frame, 0.4, 0.25), judge)


@pytest.fixture(scope="module")
def found(motion: np.ndarray, g1_arms: RobotArms) -> RootResult:
    return learned_root(request_at(PLACE, motion, g1_arms), FEW)


def test_best_of_the_representatives_can_do_the_motion_and_stands_upright(found: RootResult) -> None:
    assert found.method == "learned"
    assert len(found.candidates) == 2
    assert found.score.ik_rate >= 0.9
    assert found.score.position_error < 0.01
    np.testing.assert_allclose(found.T_world_base[:3, 2], [0, 0, 1], atol=1e-9)


def test_turning_and_moving_the_clip_turns_and_moves_the_answer(
    motion: np.ndarray, g1_arms: RobotArms, found: RootResult
) -> None:
    G = yaw(-2.3, -4.0, 0.7, -1.5)
    requests = [request_at(T, motion, g1_arms) for T in (PLACE, G @ PLACE)]
    other = learned_root(requests[1], FEW)
    np.testing.assert_allclose(other.T_world_base, G @ found.T_world_base, atol=1e-4)
    samples, again = (propose_roots(r, FEW) for r in requests)
    np.testing.assert_allclose(again, G @ samples, atol=1e-4)
    np.testing.assert_array_equal(propose_roots(requests[0], FEW), samples)


def test_the_search_makes_the_proposals_better(motion: np.ndarray, g1_arms: RobotArms) -> None:
    request = request_at(PLACE, motion, g1_arms)
    found = find_root("learned_search", request, QUICK, FEW)
    assert found.method == "learned_search"
    assert found.score.ik_rate >= 0.98
    raw = [request.judge(T).total for T in representatives(propose_roots(request, FEW), 1)]
    assert found.score.total >= max(raw) - 0.01


def test_one_hand_without_gravity_still_gives_a_root(motion: np.ndarray, g1_arms: RobotArms) -> None:
    valid = np.zeros((len(T_NS), 2), bool)
    valid[:, 1] = True
    pitch = np.radians(25)
    forward, right = np.array([-np.cos(pitch), 0.0, -np.sin(pitch)]), np.array([0.0, 1.0, 0.0])
    T = np.eye(4)
    T[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1).T
    T[:3, 3] = 0.1, 0.3, 1.5
    request = request_at(T, motion, g1_arms, valid, "camera0")
    roots = propose_roots(request, FEW)
    seen = np.linalg.inv(roots) @ request.targets.T_world_wrist[0, 1]
    assert np.linalg.norm(np.median(seen[:, :3, 3], axis=0) - motion[0, 1, :3, 3]) < 0.25
    tilt = np.arccos(np.clip(roots[:, :3, 2] @ request.up.direction, -1, 1))
    assert np.median(tilt) < 0.8


def test_standing_upright_is_the_least_turn_about_the_hands() -> None:
    roots = np.stack([yaw(0.4, 1.0), yaw(0.4, 1.0), np.diag([1.0, -1.0, -1.0, 1.0])])
    tilt = np.eye(4)
    tilt[:3, :3] = [[1, 0, 0], [0, np.cos(0.2), -np.sin(0.2)], [0, np.sin(0.2), np.cos(0.2)]]
    roots[1] = roots[1] @ tilt
    centre, up = np.array([0.5, 0.2, 0.3]), np.array([0.0, 0.0, 1.0])
    stood = stood_upright(roots, centre, up)
    np.testing.assert_allclose(stood[:, :3, 2], np.tile(up, (3, 1)), atol=1e-9)
    np.testing.assert_allclose(stood[0], roots[0], atol=1e-12)
    assert rotation_angle(stood[1, :3, :3], roots[1, :3, :3]) == pytest.approx(0.2, abs=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm(stood[:, :3, 3] - centre, axis=1), np.linalg.norm(roots[:, :3, 3] - centre, axis=1)
    )
