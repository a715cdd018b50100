"""Realistic noise on true scenes: what a video pipeline's raw objects and hands look like.

The noise is a process in time, drawn at 60 Hz and read at the clip's instants, so the same seed gives the same
disturbance at 15, 30 and 60 frames per second:

- pose noise of each object and each hand: Gauss-Markov with 20 ms correlation, per axis; rotations about the thing's middle;
- finger noise: a quarter of the pose noise, per joint and axis;
- gross errors: 2 % of 33 ms cells, eight times the pose noise and up to 60 degrees;
- dropout: bursts of 0.1 s on average, object and hands apart;
- depth drift: a smooth scale of the distance from the camera, common to everything, whose largest value over the clip is
  the level; a fifth of it again for each thing by itself. Sizes are not scaled, only places;
- the support plane is known with an offset error of half the pose noise and a tilt of a fifth of the turn noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.scene import HandTracks, ObjectTracks, Scene, Source, SupportPlane

MASTER_HZ = 60.0
CORRELATION_S = 0.02
BURST_S = 0.1
OUTLIERS = 0.02
OWN_SHARE = 0.2


@dataclass(frozen=True)
class NoiseLevel:
    """Metres, degrees, share of frames, share of the distance."""

    name: str
    place: float
    turn_deg: float
    dropout: float
    drift: float


LEVELS = (
    NoiseLevel("low", 0.005, 2.5, 0.10, 0.025),
    NoiseLevel("middle", 0.010, 5.0, 0.20, 0.05),
    NoiseLevel("high", 0.020, 10.0, 0.35, 0.10),
)


class _Process:
    """Random processes on the 60 Hz grid, read at a clip's instants."""

    def __init__(self, t: np.ndarray, rng: np.random.Generator) -> None:
        self.rng, self.t = rng, t
        self.idx = np.rint(t * MASTER_HZ).astype(int)
        self.count = (
            60 * 30
        )  # drawn for half a minute whatever the clip, so that draws do not depend on the rate
        if self.idx.max() >= self.count:
            self.count = int(self.idx.max()) + 1

    def markov(self, *shape: int) -> np.ndarray:
        keep = np.exp(-1 / (MASTER_HZ * CORRELATION_S))
        kicks = self.rng.normal(size=(self.count, *shape)) * np.sqrt(1 - keep**2)
        out = np.empty_like(kicks)
        out[0] = kicks[0] / np.sqrt(1 - keep**2)
        for i in range(1, self.count):
            out[i] = keep * out[i - 1] + kicks[i]
        return out[self.idx]

    def dropped(self, share: float) -> np.ndarray:
        leave = 1 / (MASTER_HZ * BURST_S)
        enter = leave * share / (1 - share)
        draws, out = self.rng.uniform(size=self.count), np.zeros(self.count, bool)
        gone = bool(self.rng.uniform() < share)
        for i in range(self.count):
            gone = draws[i] > leave if gone else draws[i] < enter
            out[i] = gone
        return out[self.idx]

    def gross(self) -> np.ndarray:
        cells = self.rng.uniform(size=self.count // 2 + 1) < OUTLIERS
        return np.repeat(cells, 2)[self.idx]

    def wander(self, largest: float) -> np.ndarray:
        period, phase = self.rng.uniform(3.0, 10.0, 3), self.rng.uniform(0, 2 * np.pi, 3)
        wave = np.sin(2 * np.pi * self.t[:, None] / period + phase).sum(axis=1) + self.rng.normal(0, 0.7)
        return largest * wave / np.abs(wave).max()


def disturbed(truth: Scene, level: NoiseLevel, seed: int) -> Scene:
    """The scene as raw perception would give it: `objects_raw`, `hands_raw`, `support`; no truth left inside."""
    assert truth.objects is not None
    assert truth.hands is not None
    t = truth.clip.t_seconds
    process = _Process(t, np.random.default_rng([seed, 77]))
    shared = process.wander(level.drift)
    eye = truth.camera.T_world_camera[:, :3, 3]
    objects = _objects(truth.objects, level, process, shared, eye)
    hands = _hands(truth.hands, level, process, shared, eye)
    return replace(
        truth, objects=None, objects_raw=objects, hands=hands, hands_raw=hands, contacts=None, states=None,
        support=_support(level, process.rng),
    )  # fmt: skip


def _objects(
    true: ObjectTracks, level: NoiseLevel, process: _Process, shared: np.ndarray, eye: np.ndarray
) -> ObjectTracks:
    T = true.T_world_object.copy()
    valid = np.ones(T.shape[:2], bool)
    for o in range(T.shape[1]):
        scale = shared + process.wander(OWN_SHARE * level.drift)
        gross = process.gross()[:, None]
        place = process.markov(3) * level.place * np.where(gross, 8.0, 1.0)
        turn = process.markov(3) * np.deg2rad(level.turn_deg)
        turn = np.where(gross, process.rng.uniform(-0.6, 0.6, (process.count, 3))[process.idx], turn)
        middle = true.mesh(o)[0].mean(axis=0)
        centre = T[:, o, :3, 3] + T[:, o, :3, :3] @ middle
        T[:, o, :3, :3] = so3_exp(turn) @ T[:, o, :3, :3]
        moved = centre + scale[:, None] * (centre - eye) + place
        T[:, o, :3, 3] = moved - T[:, o, :3, :3] @ middle
        valid[:, o] = ~process.dropped(level.dropout)
    return replace(
        true, T_world_object=np.where(valid[..., None, None], T, np.eye(4)), valid=valid,
        confidence=np.where(valid, 0.8, 0.0), source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
    )  # fmt: skip


def _hands(
    true: HandTracks, level: NoiseLevel, process: _Process, shared: np.ndarray, eye: np.ndarray
) -> HandTracks:
    joints = true.joints_world.copy()
    valid = true.valid.copy()
    for side in (0, 1):
        scale = shared + process.wander(OWN_SHARE * level.drift)
        gross = process.gross()[:, None]
        place = process.markov(3) * level.place * np.where(gross, 8.0, 1.0)
        turn = so3_exp(process.markov(3) * np.deg2rad(level.turn_deg))
        middle = joints[:, side].mean(axis=1)
        local = joints[:, side] - middle[:, None] + 0.25 * level.place * process.markov(21, 3)
        moved = middle + scale[:, None] * (middle - eye) + place
        joints[:, side] = np.einsum("tij,tkj->tki", turn, local) + moved[:, None]
        valid[:, side] &= ~process.dropped(level.dropout)
    sigma = np.full((len(joints), 2, 3), level.place)
    return replace(
        true, joints_world=np.where(valid[..., None, None], joints, 0.0), valid=valid,
        confidence=np.where(valid, 0.8, 0.0), source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        sigma_camera=sigma, hand_length_source="measured",
    )  # fmt: skip


def _support(level: NoiseLevel, rng: np.random.Generator) -> SupportPlane:
    tilt = rng.normal(0, np.deg2rad(level.turn_deg) / 5, 2)
    normal = np.array([tilt[0], tilt[1], 1.0])
    normal /= np.linalg.norm(normal)
    anchor = np.array([0.0, 0.05, 0.74 + rng.normal(0, level.place / 2)])
    return SupportPlane(
        valid=True, normal_world=normal, offset=float(normal @ anchor), sigma_offset=level.place / 2,
        sigma_normal=float(np.deg2rad(level.turn_deg) / 5), confidence=0.9, origin="objects",
    )  # fmt: skip
