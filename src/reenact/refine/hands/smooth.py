"""Whole-clip smoothing that trusts every direction as far as the camera saw it, and shifts nothing in time.

Not a filter after the fact: the same fit as in `pose`, of all frames of a stretch at once, with a penalty on rough
motion. What the picture fixes (sideways motion, seen fingers) hardly moves; what it leaves open (depth, an order of
magnitude worse; hidden fingers) is settled by the neighbours, in the axes of each frame's own camera. One penalty for
all directions; noise decides the rest: with third derivatives the effective cut-off of a direction goes with the cube
root of its sigma, so depth at 8 : 1 is smoothed over twice the time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.rotations import so3_exp, so3_log
from reenact.hands.joints import MCPS
from reenact.refine.hands.kinematics import STEP_SIZE
from reenact.refine.hands.levenberg import State
from reenact.refine.hands.pose import PoseProblem
from reenact.refine.hands.roughness import Roughness
from reenact.refine.hands.track import WristTrack
from reenact.scene import Source


@dataclass(frozen=True)
class SmoothConfig:
    """Cut-offs are periods (s) that come out at half height when a frame knows the quantity to its reference sigma."""

    position_cutoff_s: float = 0.15
    """Measured on mocap with noise (benchmarks/hand_mocap): 0.1 to 0.2 s is flat, from 0.3 s real motion is lost."""
    position_sigma: float = 0.003
    """Metres."""
    rotation_cutoff_s: float = 0.15
    rotation_sigma: float = 0.05
    """Radians."""
    angle_cutoff_s: float = 0.2
    angle_sigma: float = 0.1
    """Radians."""
    rounds: int = 8
    """Gauss-Newton steps at most."""
    tolerance: float = 1e-3
    """Done when a step gains less than this fraction."""
    chunk_s: float = 20.0
    """Longer stretches are solved in pieces of this length (memory) ..."""
    margin_s: float = 1.5
    """... that overlap by this much on either side; beyond it neighbours no longer matter."""


@dataclass(frozen=True)
class FrameData:
    """What the fit of single frames knows, for use by the whole-clip fit."""

    problem: PoseProblem
    """Of the seen frames, in order."""
    row_of_frame: np.ndarray
    """Row in `problem` of each frame, or -1."""
    T_camera_scene: Float64[np.ndarray, "t 4 4"]


def smooth_track(
    track: WristTrack, data: FrameData, t_seconds: Float64[np.ndarray, " t"], config: SmoothConfig
) -> WristTrack:
    """Each unbroken stretch of valid frames smoothed; observed frames become `SMOOTHED`, filled ones stay `FILLED`.

    Bone lengths stay exact because joints are recomputed from the state.
    """
    R, t, angles = track.R_scene_wrist.copy(), track.t_scene.copy(), track.angles.copy()
    for run in valid_runs(track.valid):
        for piece, core in _pieces(run, t_seconds, config):
            stretch = _Stretch(track, data, piece, t_seconds[piece], config)
            part = stretch.solve()
            inner = slice(core.start - piece.start, core.stop - piece.start)
            R[core], t[core], angles[core] = (values[inner] for values in part)
    source = np.where(track.source == Source.OBSERVED, Source.SMOOTHED, track.source).astype(np.uint8)
    return dataclasses.replace(track, R_scene_wrist=R, t_scene=t, angles=angles, source=source)


def valid_runs(valid: Bool[np.ndarray, " t"]) -> list[slice]:
    """The unbroken stretches of valid frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], valid.astype(np.int8), [0]])))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _pieces(run: slice, t_seconds: np.ndarray, config: SmoothConfig) -> list[tuple[slice, slice]]:
    """(frames solved together, frames kept of them), covering the run once."""
    start, pieces = run.start, []
    while start < run.stop:
        stop = int(np.searchsorted(t_seconds, t_seconds[start] + config.chunk_s, side="left"))
        if stop >= run.stop or t_seconds[run.stop - 1] - t_seconds[stop] < config.margin_s:
            stop = run.stop
        low = int(np.searchsorted(t_seconds, t_seconds[start] - config.margin_s))
        high = int(np.searchsorted(t_seconds, t_seconds[stop - 1] + config.margin_s, side="right"))
        pieces.append((slice(max(run.start, low), min(run.stop, high)), slice(start, stop)))
        start = stop
    return pieces


class _Stretch:
    """The joint problem of one unbroken piece of frames."""

    def __init__(
        self, track: WristTrack, data: FrameData, piece: slice, t_seconds: np.ndarray, config: SmoothConfig
    ) -> None:
        self.config, self.problem = config, data.problem
        self.first: State = (track.R_scene_wrist[piece], track.t_scene[piece], track.angles[piece])
        seen = track.source[piece] == Source.OBSERVED
        self.seen, self.filled = np.flatnonzero(seen), np.flatnonzero(~seen)
        self.rows = data.row_of_frame[piece][self.seen]
        self.T_cs = data.T_camera_scene[piece][self.seen]
        self.guess = self._guess_information(track, piece)
        self.times = t_seconds
        self.palm = track.skeleton.rest_joints_wrist[[0, *MCPS]].mean(axis=0)

    def _guess_information(self, track: WristTrack, piece: slice) -> Float64[np.ndarray, "m 26 26"]:
        """Inverse covariance of the filled frames' guesses."""
        information = np.zeros((len(self.filled), STEP_SIZE, STEP_SIZE))
        information[:, :6, :6] = np.linalg.inv(track.covariance[piece][self.filled])
        diagonal = np.arange(6, STEP_SIZE)
        information[:, diagonal, diagonal] = track.angle_sigma[piece][self.filled] ** -2
        return information

    def solve(self) -> State:
        """Damped Gauss-Newton from the single-frame answers; never worse than the start."""
        state, c = self.first, self.config
        if len(self.times) < 2:
            return state
        rough = Roughness(
            self.times,
            self.palm,
            (c.position_cutoff_s, c.rotation_cutoff_s, c.angle_cutoff_s),
            (c.position_sigma, c.rotation_sigma, c.angle_sigma),
        )
        cost, gradient, normal, slope = self._evaluate(state, rough)
        damping = 1e-6
        for _ in range(c.rounds):
            damped = normal.copy()
            diagonal = np.arange(STEP_SIZE)
            damped[:, diagonal, diagonal] *= 1.0 + damping
            step = -rough.solve(slope, damped, gradient)
            trial = (so3_exp(step[:, 3:6]) @ state[0], state[1] + step[:, :3], state[2] + step[:, 6:])
            new = self._evaluate(trial, rough)
            if new[0] >= cost:
                damping = max(damping * 100, 1e-2)
                continue
            gain = (cost - new[0]) / cost
            state, (cost, gradient, normal, slope), damping = trial, new, damping * 0.1
            if gain < c.tolerance:
                break
        return state

    def _evaluate(self, state: State, rough: Roughness) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        """Total cost, half gradient, block-diagonal data term, and the slope of the roughness."""
        cost, gradient, slope = rough.evaluate(state)
        normal = np.zeros((len(self.times), STEP_SIZE, STEP_SIZE))
        for frames, (part_cost, part_gradient, part_normal) in (
            (self.seen, self._seen_terms(state)),
            (self.filled, self._guess_terms(state)),
        ):
            cell = rough.cell[frames]
            cost += float(part_cost @ cell)
            gradient[frames] += part_gradient * cell[:, None]
            normal[frames] = part_normal * cell[:, None, None]
        return cost, gradient, normal, slope

    def _seen_terms(self, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The single-frame costs, with steps turned from camera to scene axes."""
        R_cs, t_cs = self.T_cs[:, :3, :3], self.T_cs[:, :3, 3]
        R, t, angles = (part[self.seen] for part in state)
        in_camera = (R_cs @ R, (R_cs @ t[..., None])[..., 0] + t_cs, angles)
        cost, gradient, normal = self.problem.evaluate(in_camera, self.rows)
        turn = np.tile(np.eye(STEP_SIZE), (len(R), 1, 1))
        turn[:, :3, :3] = turn[:, 3:6, 3:6] = R_cs
        back = np.swapaxes(turn, -1, -2)
        return cost, (back @ gradient[..., None])[..., 0], back @ normal @ turn

    def _guess_terms(self, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Filled frames are held near their guess as far as it is certain."""
        R, t, angles = (now[self.filled] for now in state)
        R0, t0, angles0 = (then[self.filled] for then in self.first)
        off = np.concatenate([t - t0, so3_log(R @ np.swapaxes(R0, -1, -2)), angles - angles0], axis=1)
        pulled = (self.guess @ off[..., None])[..., 0]
        return (off * pulled).sum(axis=1), pulled, self.guess
