"""Marks are recognised between keyframes that share no followed corner, never on or around hands."""

from __future__ import annotations

import cv2
import numpy as np
from tests.perception.camera.path import rooms

from reenact.perception.camera.path.blocked import HandPixels
from reenact.perception.camera.path.marks import KeyframeMarks, both

W, H = 640, 480


def picture(T_world_camera: np.ndarray) -> np.ndarray:
    """A printed table (z = 0, 1.2 m wide) and a printed wall behind it (y = 0.6) through `rooms.LENS`."""
    rng = np.random.default_rng(0)
    prints = [
        cv2.resize(rng.integers(0, 255, (60, 60)).astype(np.uint8), (600, 600), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    ]
    K = np.array(
        [[rooms.LENS.focal_px, 0, rooms.LENS.cx], [0, rooms.LENS.focal_px, rooms.LENS.cy], [0, 0, 1]]
    )
    R, t = T_world_camera[:3, :3].T, -T_world_camera[:3, :3].T @ T_world_camera[:3, 3]
    out = np.full((H, W), 90, dtype=np.uint8)
    wall = np.array([[0.002, 0, -0.6], [0, 0, 0.6], [0, -0.002, 1.2]])
    table = np.array([[0.002, 0, -0.6], [0, 0.002, -0.6], [0, 0, 0.0]])
    for plane, paint in ((wall, prints[0]), (table, prints[1])):
        to_picture = K @ (R @ plane + np.outer(t, [0, 0, 1]))
        drawn = cv2.warpPerspective(paint, to_picture, (W, H))
        inside = cv2.warpPerspective(np.full_like(paint, 255), to_picture, (W, H)) > 254
        out[inside] = drawn[inside]
    return out


def test_chained_marks_fit_the_true_motion_and_keep_off_hands() -> None:
    truth = rooms.orbit(5, 24.0)
    covered, nothing = np.zeros((2, H, W), dtype=bool)
    covered[200:300, 250:400] = True
    marks = KeyframeMarks()
    for frame, T in enumerate(truth):
        marks.add(10 * frame, picture(T), HandPixels(covered, nothing))
    centre = np.array([rooms.LENS.cx, rooms.LENS.cy])
    tracks = marks.tracks(rooms.LENS.focal_px, centre, 41, 0)
    assert len(np.unique(tracks.track)) > 60
    assert tracks.keyframes == (0, 10, 20, 30, 40)
    at = tracks.xy_px.round().astype(int)
    assert not covered[at[:, 1], at[:, 0]].any()
    assert np.bincount(tracks.track).min() >= 3
    off = epipolar(tracks, truth, 0, 40)
    assert len(off) > 15
    assert np.median(off) < 1.0


def epipolar(tracks, truth: np.ndarray, a: int, b: int) -> np.ndarray:
    """Distances (px) of marks in one picture from their lines of the other's."""
    in_a, in_b = tracks.frame == a, tracks.frame == b
    _, i, j = np.intersect1d(tracks.track[in_a], tracks.track[in_b], return_indices=True)
    T = np.linalg.inv(truth[b // 10]) @ truth[a // 10]
    x, y, z = T[:3, 3]
    E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ T[:3, :3]

    def rays(xy: np.ndarray) -> np.ndarray:
        flat = (xy - [rooms.LENS.cx, rooms.LENS.cy]) / rooms.LENS.focal_px
        return np.column_stack([flat, np.ones(len(xy))])

    lines = rays(tracks.xy_px[in_a][i]) @ E.T
    error = np.abs((rays(tracks.xy_px[in_b][j]) * lines).sum(axis=1)) / np.linalg.norm(lines[:, :2], axis=1)
    return error * rooms.LENS.focal_px


def test_marks_and_followed_corners_stay_apart() -> None:
    rng = np.random.default_rng(0)
    tracks = rooms.sightings(rooms.room_points(20, rng), rooms.orbit(4, 5.0), rng, every=1)
    joined = both(tracks, tracks)
    assert len(np.unique(joined.track)) == 2 * len(np.unique(tracks.track))
    assert (np.diff(joined.track) >= 0).all()
