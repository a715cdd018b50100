"""One known little world that every format-true file is written from: two hands, a moving head camera, one object.

`World` is in our conventions (metres, z up, OpenCV camera, OpenPose-21, wxyz); writers translate it to theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import wrist_transform
from tests import scenes

FRAMES = 20
K = np.array([[700.0, 0, 639.5], [0, 710.0, 359.5], [0, 0, 1]])
WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class World:
    joints: np.ndarray  # t 2 21 3
    valid: np.ndarray  # t 2
    T_world_camera: np.ndarray  # t 4 4
    T_world_object: np.ndarray  # t 4 4

    @property
    def T_world_wrist(self) -> np.ndarray:
        return np.stack([wrist_transform(self.joints[:, s], s) for s in (0, 1)], axis=1)

    @property
    def in_camera(self) -> np.ndarray:
        return apply(inverse(self.T_world_camera)[:, None], self.joints)

    @property
    def to_camera0(self) -> np.ndarray:
        return inverse(self.T_world_camera[0])


def world(frames: int = FRAMES) -> World:
    hands = scenes.hands(frames)
    still = scenes.camera(frames).T_world_camera
    u = np.arange(frames) / 10.0
    sway = make_T(so3_exp(np.stack([0.10 * np.sin(u), 0.07 * u, 0.05 * np.cos(2 * u)], 1)),
                  np.stack([0.05 * u, 0.03 * np.sin(u), 0.02 * u], 1))  # fmt: skip
    turn = so3_exp(np.stack([0.5 + 0.1 * u, 0.2 * u, 1.0 - 0.3 * u], 1))
    T_object = make_T(turn, np.array([0.55, 0.1, -0.4]) + np.stack([0.02 * u, -0.03 * u, 0.05 * u], 1))
    return World(hands.joints_world.copy(), hands.valid.copy(), sway @ still, T_object)


def error(a: np.ndarray, b: np.ndarray) -> float:
    """Largest distance of corresponding points (m) or entries."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())
