"""Fingertips that touch keep their place on the object: a toy grasp with noisy hands, and the plan itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.transforms import apply, inverse
from reenact.retarget.contact_targets import BadContacts, ContactConfig, follow_contacts, plan_contacts
from reenact.retarget.retarget import RetargetConfig, RetargetResult, retarget
from reenact.retarget.root.search import SearchConfig
from reenact.retarget.targets import make_targets
from reenact.robots.model import Robot
from reenact.scene import HandTracks, Scene
from reenact.toy.config import ToyConfig
from reenact.toy.unfilmed import unfilmed_scene

FEW = SearchConfig(places=100, keep_grid=60, keep_ik=8, keep_second=4, keep_polished=1)


@pytest.fixture(scope="module")
def scene() -> Scene:
    """The truth of a toy pick-and-place, not rendered."""
    return unfilmed_scene(ToyConfig(activity="pick_place", seed=6, fps_hz=15.0))


@pytest.fixture(scope="module")
def noisy(scene: Scene) -> HandTracks:
    """Whole hands shaken by 6 mm, as a tracker would."""
    assert scene.hands is not None
    shake = np.random.default_rng(0).normal(size=(len(scene.clip.t_ns), 2, 1, 3)) * 0.006
    return replace(scene.hands, joints_world=scene.hands.joints_world + shake)


def slip(tips_world: np.ndarray, scene: Scene, side: int) -> float:
    """Rms distance (m) of touching fingertips [t 5 3] from their mean place on the object, over frames and fingers."""
    assert scene.contacts is not None
    assert scene.objects is not None
    away = []
    for k in range(len(scene.objects.object_ids)):
        T = scene.objects.T_world_object[:, k]
        for f in range(tips_world.shape[1]):
            on = scene.contacts.touching[:, side, f, k] & scene.contacts.valid[:, side, k]
            if on.sum() > 8:
                inner = np.flatnonzero(on)[3:-3]
                place = apply(inverse(T[inner]), tips_world[inner, f, None])[:, 0]
                away.append(((place - place.mean(axis=0)) ** 2).sum(axis=1))
    return float(np.sqrt(np.concatenate(away).mean()))


def robot_tips(result: RetargetResult, robot: Robot, side: str) -> np.ndarray:
    """The robot's fingertips in the world by the human finger they stand for, absent ones left out."""
    tips = robot.fingertips(result.trajectory.q, side)  # type: ignore[arg-type]
    return apply(result.trajectory.T_world_base, tips)


def test_touching_fingertips_hold_and_free_ones_are_left_alone(scene: Scene, noisy: HandTracks) -> None:
    assert scene.objects is not None
    assert scene.contacts is not None
    t_ns = scene.clip.t_ns
    targets = make_targets(noisy, t_ns, t_ns)
    plan = plan_contacts(targets, scene.objects, scene.contacts, ContactConfig())
    assert plan.used
    held = follow_contacts(targets, plan, ContactConfig())
    before, after = (
        apply(targets.T_world_wrist, targets.tips_wrist),
        apply(held.T_world_wrist, held.tips_wrist),
    )
    assert slip(after[:, 1], scene, 1) < 0.4 * slip(before[:, 1], scene, 1)
    free = ~(plan.weight > 0).any(axis=2)
    np.testing.assert_allclose(held.T_world_wrist[free], targets.T_world_wrist[free], atol=1e-12)
    np.testing.assert_allclose(held.tips_wrist[free], targets.tips_wrist[free], atol=1e-12)
    moved = np.linalg.norm(held.T_world_wrist[..., :3, 3] - targets.T_world_wrist[..., :3, 3], axis=-1)
    assert moved.max() < 0.04  # corrections are of the noise's size


def test_a_robots_fingertips_slip_less_with_contacts_than_without(
    fr3: Robot, scene: Scene, noisy: HandTracks
) -> None:
    t_ns, config = scene.clip.t_ns, RetargetConfig(search=FEW)
    without = retarget(noisy, t_ns, fr3, config)
    given = {"objects": scene.objects, "contacts": scene.contacts}
    root = without.root.T_world_base
    with_contacts = retarget(noisy, t_ns, fr3, config, T_world_base=root, **given)
    a, b = (slip(robot_tips(r, fr3, "right"), scene, 1) for r in (without, with_contacts))
    assert b < 0.75 * a
    assert any("contacts followed" in note for note in with_contacts.report.notes)
    off = replace(config, contacts=ContactConfig(follow=False))
    np.testing.assert_array_equal(
        retarget(noisy, t_ns, fr3, off, T_world_base=root, **given).trajectory.q,
        retarget(noisy, t_ns, fr3, config, T_world_base=root).trajectory.q,
    )


def test_contacts_of_another_clip_are_refused(fr3: Robot, scene: Scene, noisy: HandTracks) -> None:
    with pytest.raises(BadContacts, match="own instants"):
        retarget(
            noisy, scene.clip.t_ns, fr3, RetargetConfig(fps_hz=40.0), T_world_base=np.eye(4),
            objects=scene.objects, contacts=scene.contacts,
        )  # fmt: skip
