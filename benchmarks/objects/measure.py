"""All measures of one method on one object of one clip, and their sums over a suite."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from objects.baselines import Answer

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.quality.objects.labels import (
    agreement,
    confusion,
    f1_per_state,
    precision_recall,
    ratios,
    state_f1,
)
from reenact.quality.objects.occluders import occluding_points
from reenact.quality.objects.pictures import score_pictures, surface_points
from reenact.quality.objects.poses import (
    add_s,
    add_s_auc,
    aligned_at_start,
    jumps,
    place_errors,
    stability,
    turn_errors,
)
from reenact.refine.contacts.distances import joints_in_object, measure
from reenact.scene import HandTracks, Scene

PICTURE_EVERY = 5
"""VSD and failure rate are taken in every fifth frame; the true hands and other objects hide what is behind them."""
PICTURE_WIDTH = 160
TOLERANCE_S = 0.1
"""For the lenient F1: a state said up to this much before it is true or after it was counts as right (s)."""


@dataclass
class Sums:
    """What a method did over a suite."""

    place: list[np.ndarray] = field(default_factory=list)
    turn: list[np.ndarray] = field(default_factory=list)
    valid: list[np.ndarray] = field(default_factory=list)
    adds: list[float] = field(default_factory=list)
    vsd: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    stable: list[np.ndarray] = field(default_factory=list)
    confusion: np.ndarray = field(default_factory=lambda: np.zeros((6, 6), np.int64))
    lenient: np.ndarray = field(default_factory=lambda: np.zeros((6, 6), np.int64))
    contacts: list[tuple[int, int, int]] = field(default_factory=list)
    depth: list[np.ndarray] = field(default_factory=list)
    jump: list[np.ndarray] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        """The table's numbers."""
        place, turn, valid = (np.concatenate(x) for x in (self.place, self.turn, self.valid))
        depth, jump = np.concatenate(self.depth), np.concatenate(self.jump)
        precision, recall = ratios(self.contacts)
        return {
            "place mm": 1e3 * float(place[valid].mean()),
            "turn deg": float(np.rad2deg(turn[valid].mean())),
            "frames": float(valid.mean()),
            "ADD-S AUC": float(np.mean(self.adds)),
            "VSD AUC": float(np.mean(self.vsd)),
            "failure": float(np.mean(self.failed)),
            "stability": float(np.concatenate(self.stable).mean()),
            "state F1": state_f1(self.confusion),
            "F1 0.1 s": state_f1(self.lenient),
            "state share": agreement(self.confusion),
            "contact P": precision,
            "contact R": recall,
            "depth mm": 1e3 * float(depth.mean()) if len(depth) else float("nan"),
            "jump p95 mm": 1e3 * float(np.quantile(jump, 0.95)) if len(jump) else float("nan"),
            "jump max mm": 1e3 * float(jump.max(initial=0.0)),
        }

    def per_state(self) -> dict[str, float]:
        """F1 of each state."""
        return {state.name.lower(): score for state, score in f1_per_state(self.confusion).items()}


def score(
    sums: Sums,
    truth: Scene,
    o: int,
    answer: Answer,
    hands: HandTracks,
    grid: SignedDistanceGrid,
    pictures: bool = True,
) -> None:
    """Add one object's numbers; `hands` are those that the method gives (for penetration)."""
    true = truth.objects.T_world_object[:, o]
    vertices, faces = truth.objects.mesh(o)
    middle = np.eye(4)
    middle[:3, 3] = (vertices.max(axis=0) + vertices.min(axis=0)) / 2
    T, valid = answer.T, answer.valid
    sums.place.append(place_errors(T @ middle, true @ middle))
    sums.turn.append(turn_errors(T, true))
    sums.valid.append(valid)
    started = aligned_at_start(T, true, valid)
    points = surface_points(vertices, faces, 300)
    every = slice(None, None, 2)
    sums.adds.append(add_s_auc(add_s(started[every], true[every], points), valid[every]))
    sums.stable.append(stability(started, true, valid))
    if pictures:
        some = slice(None, None, PICTURE_EVERY)
        camera = truth.camera.camera()
        small = camera.scaled(PICTURE_WIDTH / camera.width_px)
        shown = score_pictures(
            started[some], true[some], valid[some], surface_points(vertices, faces, 4000), small,
            truth.camera.scene_T_camera()[some],
            occluding_points(truth.hands, truth.objects, o, range(*some.indices(len(T)))),
        )  # fmt: skip
        if shown.shown.any():
            sums.vsd.append(shown.vsd_auc())
            sums.failed.append(shown.failure_rate())
    states = truth.states.state[:, o]
    said = answer.state.astype(np.uint8)
    sums.confusion += confusion(said, states)
    sums.lenient += confusion(forgiven(said, states, truth.clip.t_seconds), states)
    contacts = truth.contacts.touching[..., o]
    known = np.broadcast_to(truth.contacts.valid[:, :, None, o], contacts.shape)
    sums.contacts.append(precision_recall(answer.touching, contacts, known))
    sums.depth.append(_depth(truth, T, valid, hands, grid, contacts))
    changes = (np.diff(states.astype(int)) != 0) | (np.diff(answer.state.astype(int)) != 0)
    sums.jump.append(jumps(T, true, valid, changes))


def forgiven(
    said: np.ndarray, true: np.ndarray, t_seconds: np.ndarray, tolerance_s: float = TOLERANCE_S
) -> np.ndarray:
    """What was said, [t], with the true state where it was said of an instant within the tolerance of its being true."""
    near = np.abs(t_seconds[:, None] - t_seconds[None]) <= tolerance_s + 1e-6
    right = (near & (said[:, None] == true[None])).any(axis=1)
    return np.where(right, true, said)


def _depth(
    truth: Scene,
    T: np.ndarray,
    valid: np.ndarray,
    hands: HandTracks,
    grid: SignedDistanceGrid,
    contacts: np.ndarray,
) -> np.ndarray:
    """Deepest penetration of either hand's spheres, in frames in which a hand truly touches the object."""
    deepest = np.zeros(len(T))
    seen = np.zeros(len(T), bool)
    for side in (0, 1):
        rows = valid & hands.valid[:, side] & contacts[:, side].any(axis=1)
        if rows.any():
            local = joints_in_object(hands.joints_world[rows, side], T[rows])
            deepest[rows] = np.maximum(
                deepest[rows], measure(local, grid, float(hands.hand_length[side])).depth
            )
            seen |= rows
    return deepest[seen]
