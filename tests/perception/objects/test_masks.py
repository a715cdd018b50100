"""Laws of the mask role: outlines follow the object through a hand's grasp, and what is not seen is not claimed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.perception.masks.classical import ClassicalMasks, ClassicalMasksConfig
from reenact.perception.masks.contract import MaskBackend
from reenact.perception.masks.seed import mask_from_box, outline_of
from reenact.perception.pictures.stack import StackConfig, WrongFrames, read_stack
from reenact.scene import FoundObjects, MaskLabel
from tests.perception.objects import drawn


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)


@pytest.fixture(scope="module")
def masks(clip):
    backend = ClassicalMasks()
    assert isinstance(backend, MaskBackend)
    return backend.segment(clip.frames(), clip.clip, clip.landmarks, drawn.found())


@pytest.mark.parametrize("which", [0, 1])
def test_an_object_is_outlined_in_all_frames(clip, masks, which) -> None:
    code = MaskLabel.FIRST_OBJECT + which
    seen = (clip.labels == code).sum(axis=(1, 2)) > 60
    assert (masks.tracks.valid[:, which] == seen)[seen].mean() > 0.9
    scores = [iou(masks.labels[i] == code, clip.labels[i] == code) for i in np.flatnonzero(seen)]
    assert np.mean(scores) > 0.8
    assert min(scores) > 0.5


def test_hands_have_their_own_label(clip, masks) -> None:
    scores = [iou(masks.labels[i] == 2, clip.labels[i] == 2) for i in range(10, 26)]
    assert np.mean(scores) > 0.75
    assert not (masks.labels == MaskLabel.HAND_LEFT).any()


def test_a_lost_object_has_no_pixels(masks) -> None:
    for o in (0, 1):
        for frame in np.flatnonzero(~masks.tracks.valid[:, o]):
            assert not (masks.labels[frame] == MaskLabel.FIRST_OBJECT + o).any()
            assert masks.tracks.confidence[frame, o] == 0


def test_a_hand_over_the_object_is_counted(masks) -> None:
    hidden = masks.tracks.occluded_share[:, 0]
    assert hidden[0] < 0.05
    assert hidden[12:22].mean() > 0.15


def test_a_seed_in_the_middle_serves_both_directions(clip) -> None:
    made = ClassicalMasks().segment(clip.frames(), clip.clip, clip.landmarks, drawn.found((18, 18)))
    for frame in (0, drawn.FRAMES - 1):
        got, true = made.labels[frame] == MaskLabel.FIRST_OBJECT, clip.labels[frame] == MaskLabel.FIRST_OBJECT
        assert iou(got, true) > 0.6


def test_an_object_that_vanishes_is_lost_not_invented(clip) -> None:
    rgb = clip.rgb.copy()
    rgb[20:] = rgb[0][:, ::-1].mean(axis=(0, 1)).astype(np.uint8)
    frames = zip(clip.clip.t_ns.tolist(), rgb, strict=True)
    made = ClassicalMasks().segment(frames, clip.clip, clip.landmarks, drawn.found())
    assert not made.tracks.valid[23:].any()


def test_no_objects_is_a_legal_answer(clip) -> None:
    none = FoundObjects(
        object_ids=(), names=(), roles=(), seed_frame=np.zeros(0, np.int64), seed_box_px=np.zeros((0, 4)),
        confidence=np.zeros(0), sources=(), reasons=(), backend="x", licence="x",
    )  # fmt: skip
    made = ClassicalMasks().segment(clip.frames(), clip.clip, clip.landmarks, none)
    assert made.tracks.valid.shape == (drawn.FRAMES, 0)
    assert (made.labels < MaskLabel.FIRST_OBJECT).all()
    assert (made.labels == MaskLabel.HAND_RIGHT).any()


def test_labels_have_the_working_size(clip) -> None:
    small = ClassicalMasks(ClassicalMasksConfig(stack=StackConfig(width_px=120)))
    made = small.segment(clip.frames(), clip.clip, clip.landmarks, drawn.found())
    assert made.labels.shape == (drawn.FRAMES, 80, 120)
    assert (made.tracks.width_px, made.tracks.height_px) == (120, 80)
    true = clip.labels[30, ::2, ::2] == MaskLabel.FIRST_OBJECT
    assert iou(made.labels[30] == MaskLabel.FIRST_OBJECT, true) > 0.6


def test_frames_of_another_clip_are_refused(clip) -> None:
    with pytest.raises(WrongFrames, match="36"):
        read_stack(list(clip.frames())[:-1], clip.clip)
    late = ((t + 1, rgb) for t, rgb in clip.frames())
    with pytest.raises(WrongFrames, match="has time"):
        read_stack(late, clip.clip)


def test_pixels_go_to_the_stack_and_back(clip) -> None:
    stack = read_stack(clip.frames(), clip.clip, StackConfig(width_px=100))
    points = np.random.default_rng(0).uniform(0, 200, (5, 2))
    assert np.allclose(stack.to_full(stack.to_small(points)), points)
    corners = np.array([-0.5, -0.5, drawn.WIDTH - 0.5, drawn.HEIGHT - 0.5])
    assert np.allclose(stack.box_to_small(corners), [-0.5, -0.5, stack.width_px - 0.5, stack.height_px - 0.5])


def test_an_outline_leads_the_cut(clip) -> None:
    true = clip.labels[0] == MaskLabel.FIRST_OBJECT
    wide = np.array([20.0, 60.0, 140.0, 140.0])
    led = mask_from_box(clip.rgb[0], wide, clip.labels[0] == 2, outline=outline_of(true))
    assert iou(led.mask, true) > 0.85


def test_follows_only_with_trust_in_the_seed(clip) -> None:
    unsure = dataclasses.replace(drawn.found(), confidence=np.array([0.3, 0.9]))
    made = ClassicalMasks().segment(clip.frames(), clip.clip, clip.landmarks, unsure)
    assert made.tracks.confidence[0, 0] < made.tracks.confidence[0, 1]
