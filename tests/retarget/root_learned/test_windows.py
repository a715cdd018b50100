"""Windows of a clip: the same motion gives the same windows at any frame rate; gaps stay gaps."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.retarget.root.learned.config import WindowConfig
from reenact.retarget.root.learned.windows import Windows, clip_windows
from reenact.retarget.targets import HandTargets, make_targets
from tests.retarget.motions import hands_at, times, yaw

STILL = np.broadcast_to(np.eye(4), (2, 4, 4))
UP = np.array([0.0, 0.0, 1.0])


def clip(seconds: float, fps_hz: float, valid: np.ndarray | None = None) -> HandTargets:
    t_ns = times(round(seconds * fps_hz) + 1, fps_hz)
    T = np.stack([np.stack([yaw(0.3 * t, t, s, 0.0) for s in (0.0, 1.0)]) for t in t_ns * 1e-9])
    return make_targets(hands_at(T, valid), t_ns, t_ns)


def windows(targets: HandTargets, sides: tuple[int, ...] = (0, 1), up: np.ndarray | None = UP) -> Windows:
    return clip_windows(targets, sides, up, STILL, WindowConfig())


@pytest.mark.parametrize("fps_hz", [20.0, 30.0, 60.0])
def test_a_windows_content_does_not_depend_on_the_frame_rate(fps_hz: float) -> None:
    got, want = windows(clip(3.0, fps_hz)), windows(clip(3.0, 120.0))
    assert got.valid.all()
    np.testing.assert_allclose(got.seconds, want.seconds, atol=1e-9)
    moved = np.abs(got.T_world_wrist[..., :3, 3] - want.T_world_wrist[..., :3, 3]).max()
    assert moved <= 0.5 / fps_hz + 1e-6  # the nearest frame, at 1 m/s


def test_windows_cover_the_clip_and_a_short_clip_is_one_window_with_an_empty_end() -> None:
    many = windows(clip(4.5, 30.0))
    assert len(many) == 4
    np.testing.assert_allclose(many.T_world_wrist[-1, -1, 0, 0, 3], 4.5, atol=0.06)
    one = windows(clip(0.9, 30.0))
    assert len(one) == 1
    assert one.valid[0, :9].all()
    assert not one.valid[0, 10:].any()


def test_gaps_and_sides_that_are_not_followed_are_unseen() -> None:
    valid = np.ones((61, 2), bool)
    valid[20:40, 0] = False
    gapped = windows(clip(2.0, 30.0, valid))
    assert 5 <= (~gapped.valid[0, :, 0]).sum() <= 8
    assert gapped.valid[0, :, 1].all()
    right = windows(clip(2.0, 30.0), sides=(1,))
    assert not right.valid[..., 0].any()
    assert not right.T_world_wrist[:, :, 0].any()
    np.testing.assert_allclose(right.centre()[0, 1], 1.0, atol=1e-6)


def test_a_hand_lost_for_a_while_hardly_moves_the_centre() -> None:
    valid = np.ones((61, 2), bool)
    valid[::2, 0] = valid[1::4, 0] = False  # three quarters gone, evenly
    whole, gapped = windows(clip(2.0, 30.0)), windows(clip(2.0, 30.0, valid))
    assert np.linalg.norm(whole.centre() - gapped.centre()) < 0.05


def test_wrist_offsets_are_applied_on_the_wrists_side() -> None:
    offsets = np.stack([yaw(0.2, 0.1), yaw(-0.1, 0.0, 0.3)])
    plain = windows(clip(2.0, 30.0))
    shifted = clip_windows(clip(2.0, 30.0), (0, 1), UP, offsets, WindowConfig())
    np.testing.assert_allclose(shifted.T_world_wrist, plain.T_world_wrist @ offsets, atol=1e-9)


def test_unknown_gravity_is_zero() -> None:
    assert not windows(clip(2.0, 30.0), up=None).up.any()
