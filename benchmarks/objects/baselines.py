"""What a plain pipeline would do with the same raw tracks: four baselines.

- raw: per-frame poses, nothing where nothing was seen;
- last-pose-hold: the raw pose, the last seen one where nothing was;
- smoothing: zero-phase smoothing of the raw poses (cut-off 0.3 s), gaps filled by it;
- pixel machine: EgoInfinity's two machines as its published facts describe them (frames, pixels per frame), with its
  rule of poses: bound to the palm when grasped, locked to the segment's centroid when static, else smoothed.

States for the first three: moving when the object's speed (over 0.2 s) exceeds 5 cm/s; held by each hand whose joints
come within 3 cm (tips) or 5 cm (knuckles) of the mesh (DexMan's thresholds), else static.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reenact.geometry.filters import savgol_time
from reenact.geometry.rotations import rotation_mean
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import TIPS
from reenact.refine.contacts.distances import joints_in_object
from reenact.refine.contacts.posterior import published_touching
from reenact.refine.states.observations import ObservationConfig, observe_hand, smooth_rigid
from reenact.scene import InteractionState, Scene


@dataclass(frozen=True)
class Answer:
    """What a method says of one object."""

    T: np.ndarray
    valid: np.ndarray
    state: np.ndarray
    touching: np.ndarray
    """[t 2 6]"""


def raw(scene: Scene, o: int) -> Answer:
    """Per frame only."""
    objects = scene.objects_raw
    return _with_rules(scene, o, objects.T_world_object[:, o].copy(), objects.valid[:, o])


def hold(scene: Scene, o: int) -> Answer:
    """The last pose is kept where nothing is seen."""
    objects = scene.objects_raw
    return _with_rules(
        scene, o, _held(objects.T_world_object[:, o], objects.valid[:, o]), np.ones(len(objects.valid), bool)
    )


def smoothing(scene: Scene, o: int) -> Answer:
    """Smoothed and filled."""
    objects = scene.objects_raw
    T = smooth_rigid(
        objects.T_world_object[:, o], objects.valid[:, o].astype(float), scene.clip.t_seconds, 0.3
    )
    return _with_rules(scene, o, T, np.ones(len(T), bool))


def pixel_machine(scene: Scene, o: int) -> Answer:
    """EgoInfinity's label machine (facts: research notes 1.8) and its pose rules (1.9), frame- and pixel-based."""
    objects, hands, camera = scene.objects_raw, scene.hands, scene.camera
    vertices = objects.mesh(o)[0]
    T = _held(objects.T_world_object[:, o], objects.valid[:, o])
    view = inverse(camera.scene_T_camera())
    pixels = camera.camera().project(apply(view @ T, vertices))
    middle = (pixels.min(axis=1) + pixels.max(axis=1)) / 2
    span = np.linalg.norm(np.quantile(middle, 0.9, axis=0) - np.quantile(middle, 0.1, axis=0))
    if span <= 0.02 * min(camera.width_px, camera.height_px):
        return Answer(
            _locked(T, np.zeros(len(T), int)), np.ones(len(T), bool), np.full(len(T), 1), _touch(scene, o, T)
        )
    speed = np.linalg.norm(np.diff(middle, axis=0, prepend=middle[:1]), axis=1)
    moving = np.zeros(len(T), bool)
    for i in range(1, len(T)):
        moving[i] = speed[i] > (2.0 if moving[i - 1] else 4.0)
    grasped = np.zeros((len(T), 2), bool)
    for side in (0, 1):
        local = joints_in_object(_hold_hand(hands.joints_world[:, side], hands.valid[:, side]), T)
        tips = np.linalg.norm(local[:, TIPS, None] - vertices[None, None], axis=-1).min(axis=(1, 2)) <= 0.06
        wrist = np.linalg.norm(local[:, 0, None] - vertices[None], axis=-1).min(axis=1) <= 0.05
        grasped[:, side] = _bridged((tips | wrist) & hands.valid[:, side].any(), 30, 8)
    state = np.where(moving, 2, 1)
    state = np.where(grasped[:, 1], 4, state)
    state = np.where(grasped[:, 0], 3, state)
    state = np.where(grasped.all(axis=1), 5, state)
    return Answer(_posed(scene, T, state), np.ones(len(T), bool), state.astype(np.uint8), _touch(scene, o, T))


BASELINES = {
    "raw (per frame)": raw,
    "last pose held": hold,
    "smoothing": smoothing,
    "pixel machine": pixel_machine,
}


def _with_rules(scene: Scene, o: int, T: np.ndarray, valid: np.ndarray) -> Answer:
    t = scene.clip.t_seconds
    filled = _held(T, valid)
    touching = _touch(scene, o, filled)
    speed = np.linalg.norm(savgol_time(filled[:, :3, 3], t, 0.2, order=1, derivative=1), axis=1)
    held = touching.any(axis=2)
    state = np.where(speed > 0.05, InteractionState.MOVING, InteractionState.STATIC)
    state = np.where(held[:, 1], InteractionState.GRASPED_RIGHT, state)
    state = np.where(held[:, 0], InteractionState.GRASPED_LEFT, state)
    state = np.where(held.all(axis=1), InteractionState.GRASPED_BOTH, state)
    return Answer(T, valid, np.where(valid, state, 0).astype(np.uint8), touching)


def _touch(scene: Scene, o: int, T: np.ndarray) -> np.ndarray:
    hands, vertices = scene.hands, scene.objects_raw.mesh(o)[0]
    out = np.zeros((len(T), 2, 6), bool)
    for side in (0, 1):
        if hands.valid[:, side].any():
            local = joints_in_object(hands.joints_world[:, side], T)
            out[:, side] = published_touching(local, vertices) & hands.valid[:, side, None]
    return out


def _held(T: np.ndarray, valid: np.ndarray) -> np.ndarray:
    idx = np.where(valid, np.arange(len(T)), -1)
    last = np.maximum.accumulate(idx)
    first = int(np.argmax(valid)) if valid.any() else 0
    return T[np.where(last < 0, first, last)]


def _hold_hand(joints: np.ndarray, valid: np.ndarray) -> np.ndarray:
    idx = np.maximum.accumulate(np.where(valid, np.arange(len(joints)), 0))
    return joints[idx]


def _bridged(mask: np.ndarray, longest_gap: int, shortest_run: int) -> np.ndarray:
    out = mask.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (~out).astype(int), [0]])))
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if a > 0 and b < len(out) and b - a <= longest_gap:
            out[a:b] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], out.astype(int), [0]])))
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if b - a < shortest_run:
            out[a:b] = False
    return out


def _locked(T: np.ndarray, segment: np.ndarray) -> np.ndarray:
    out = T.copy()
    for k in np.unique(segment):
        rows = segment == k
        out[rows] = make_T(rotation_mean(T[rows][:, :3, :3]), np.median(T[rows][:, :3, 3], axis=0))
    return out


def _posed(scene: Scene, T: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Palm-bound in grasps (anchor: the frame nearest the wrist), locked when static, smoothed when moving."""
    t = scene.clip.t_seconds
    out = smooth_rigid(T, np.ones(len(T)), t, 11 * float(np.median(np.diff(t))))
    segment = np.cumsum(np.diff(state, prepend=state[0]) != 0)
    for k in np.unique(segment):
        rows = np.flatnonzero(segment == k)
        kind = state[rows[0]]
        if kind == 1:
            out[rows] = _locked(T[rows], np.zeros(len(rows), int))
        elif kind >= 3:
            side = 1 if kind == 4 else 0
            hand = observe_hand(
                scene.hands.joints_world[:, side],
                scene.hands.valid[:, side],
                t,
                side,
                0.189,
                ObservationConfig(),
            ).rigid.smooth[rows]
            near = int(np.linalg.norm(T[rows, :3, 3] - hand[:, :3, 3], axis=1).argmin())
            out[rows] = hand @ (inverse(hand[near]) @ T[rows[near]])
    return out
