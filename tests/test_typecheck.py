"""The checker is on: a call that breaks its annotation does not pass in any test of this suite."""

from __future__ import annotations

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation as Wrong

from reenact.geometry.rotations import rotation_angle, so3_exp
from reenact.geometry.timegrid import BadTimes, TimeGrid
from reenact.hands.joints import finger_joints


def test_shapes_dtypes_and_axes_of_one_name_are_checked():
    with pytest.raises(Wrong, match="w"):
        so3_exp(np.zeros(4))
    with pytest.raises(Wrong, match="t_ns"):
        TimeGrid(np.zeros(3))
    with pytest.raises(Wrong, match="R_b"):
        rotation_angle(np.zeros((2, 3, 3)), np.zeros((5, 3, 3)))


def test_batches_broadcast_where_the_annotation_says_so():
    assert rotation_angle(np.eye(3), np.tile(np.eye(3), (5, 1, 1))).shape == (5,)


def test_functions_without_shapes_are_checked_too():
    with pytest.raises(Wrong):
        finger_joints("thumb")


@pytest.mark.usefixtures("unchecked")
def test_a_test_may_ask_for_none():
    with pytest.raises(BadTimes, match="float64"):
        TimeGrid(np.zeros(3))
