from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest

from reenact.video.orient import UPRIGHT, Orientation, orientation_of_matrix
from reenact.video.probe import probe
from reenact.video.reader import VideoReader
from reenact.video.writer import VideoWriter

from .clips import set_track_matrix

# All eight ways to lay a picture on a screen: (a, b, c, d) with shown = (a x + c y, b x + d y), y down.
MATRICES = [
    (sx, 0, 0, sy) if not swap else (0, sx, sy, 0)
    for swap, sx, sy in itertools.product((False, True), (1, -1), (1, -1))
]


def shown_by_matrix(rgb: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """Pixel by pixel from the definition of the display matrix."""
    height, width, _ = rgb.shape
    y, x = np.mgrid[0:height, 0:width]
    new_x, new_y = a * x + c * y, b * x + d * y
    new_x, new_y = new_x - new_x.min(), new_y - new_y.min()
    out = np.zeros((new_y.max() + 1, new_x.max() + 1, 3), rgb.dtype)
    out[new_y, new_x] = rgb
    return out


@pytest.mark.parametrize("matrix", MATRICES)
def test_orientation_is_what_the_display_matrix_says(matrix):
    a, b, c, d = matrix
    one = 1 << 16
    orientation = orientation_of_matrix(
        struct.pack("=9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    )
    rgb = np.random.default_rng(0).integers(0, 255, (5, 7, 3)).astype(np.uint8)
    assert (orientation.apply(rgb) == shown_by_matrix(rgb, a, b, c, d)).all()
    assert orientation.apply(rgb).flags.c_contiguous


def test_eight_matrices_give_eight_orientations():
    one = 1 << 16
    packed = [
        struct.pack("=9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30) for a, b, c, d in MATRICES
    ]
    assert len({orientation_of_matrix(p) for p in packed}) == 8


def test_slightly_tilted_matrix_rounds_to_the_nearest_quarter():
    angle = np.radians(87.0)
    one = 1 << 16
    a, b, c, d = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    matrix = struct.pack("=9i", *(int(v * one) for v in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)
    assert orientation_of_matrix(matrix) == Orientation(1, False)


def test_empty_or_zero_matrix_is_upright():
    assert orientation_of_matrix(b"") == UPRIGHT
    assert orientation_of_matrix(bytes(36)) == UPRIGHT


@pytest.mark.parametrize("matrix", MATRICES)
def test_frames_of_a_file_with_a_track_matrix_come_out_upright(tmp_path, matrix):
    a, b, c, d = matrix
    stored = np.zeros((48, 80, 3), np.uint8)
    stored[:24, :40], stored[:24, 40:], stored[24:, :40] = (220, 30, 30), (30, 200, 30), (30, 30, 220)
    path = tmp_path / "turned.mp4"
    with VideoWriter(path, 80, 48, 30, crf=5) as out:
        for _ in range(3):
            out.write(stored)
    set_track_matrix(path, (a, b, 0, c, d, 0, 0, 0, 1))
    expected = shown_by_matrix(stored, a, b, c, d)
    info = probe(path)
    assert (info.height_px, info.width_px) == expected.shape[:2]
    _, rgb = next(VideoReader(path).frames())
    quarters = [(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)]
    for fy, fx in quarters:
        y, x = int(fy * expected.shape[0]), int(fx * expected.shape[1])
        assert np.abs(rgb[y, x].astype(int) - expected[y, x]).max() < 20
    half = next(VideoReader(path).frames(max_height=info.height_px // 2))[1]
    assert half.shape[:2] == (info.height_px // 2, info.width_px // 2)
