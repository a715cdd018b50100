"""The truth backends of finding, outlining and following, on a toy clip: what they say is what the clip shows."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.perception.discover.truth import TruthFinder, TruthFinderConfig
from reenact.perception.masks.truth import NoTrueMasks, TruthMasks, TruthMasksConfig
from reenact.perception.points.truth import TruthPoints
from reenact.scene import MaskLabel, Source


def test_the_pushed_thing_is_manipulated_and_comes_first(push_clip) -> None:
    everything = TruthFinder(
        push_clip.scene, push_clip.mask, TruthFinderConfig(with_bystanders=True)
    ).objects()
    assert everything.roles[0] == "manipulated"
    assert everything.object_ids[0] == push_clip.scene.objects.object_ids[0]
    found = TruthFinder(push_clip.scene, push_clip.mask).objects()
    assert "unknown" not in found.roles
    x0, y0, x1, y1 = found.seed_box_px[0].astype(int)
    mask = push_clip.mask(int(found.seed_frame[0])) == MaskLabel.FIRST_OBJECT
    assert mask[y0 : y1 + 1, x0 : x1 + 1].sum() == mask.sum() > 0


def test_true_masks_take_the_order_of_what_was_found(push_clip) -> None:
    ids = push_clip.scene.objects.object_ids
    made = TruthMasks(push_clip.scene, push_clip.mask).masks((ids[-1], ids[0]))
    for frame in (0, 6):
        true = push_clip.mask(frame)
        assert ((made.labels[frame] == 17) == (true == 16)).all()
        assert ((made.labels[frame] == MaskLabel.HAND_RIGHT) == (true == MaskLabel.HAND_RIGHT)).all()
    with pytest.raises(NoTrueMasks, match="nothing"):
        TruthMasks(push_clip.scene, push_clip.mask).masks(("nothing",))


def test_losses_are_of_the_stated_size(push_clip) -> None:
    ids = push_clip.scene.objects.object_ids[:1]
    whole = TruthMasks(push_clip.scene, push_clip.mask).masks(ids).tracks
    lossy = TruthMasks(push_clip.scene, push_clip.mask, TruthMasksConfig(dropout=0.5)).masks(ids)
    share = lossy.tracks.valid.sum() / whole.valid.sum()
    assert 0.15 < share < 0.85
    lost = ~lossy.tracks.valid[:, 0]
    assert not (lossy.labels[lost] == MaskLabel.FIRST_OBJECT).any()


def test_true_points_lie_on_their_object(push_clip) -> None:
    ids = push_clip.scene.objects.object_ids[:1]
    tracks = TruthPoints(push_clip.scene, push_clip.depth).tracks(ids)
    assert tracks.valid.any(axis=1).all()
    assert (tracks.source[tracks.valid] == Source.TRUTH).all()
    on = []
    for frame, p in np.argwhere(tracks.valid).tolist():
        x, y = np.rint(tracks.points_px[frame, p]).astype(int)
        on.append((push_clip.mask(frame)[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] == 16).any())
    assert np.mean(on) > 0.9
