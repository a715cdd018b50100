"""Contacts weigh in: a fingertip that touches an object stays where it is on the object.

Hand and object are tracked apart, each with its own noise; a grasp that is still in the world's truth slides about in
the tracks. While a fingertip touches, its place in the object's frame is averaged (slow sliding stays), and wrist and
fingertip targets are moved so that it holds: the wrist by the small move that serves all touching fingers best, the
fingertips by what is left. After the arms are solved the same places are asked of the fingers again, seen from where
the robot's wrist really is. Corrections fade in and out with the touch, so nothing jumps; nothing is shifted in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.errors import InputError
from reenact.geometry.filters import whittaker
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, inverse
from reenact.retarget.targets import HandTargets
from reenact.scene import ContactTracks, ObjectTracks


class BadContacts(InputError):
    """Objects or contacts that do not belong to the clip."""


@dataclass(frozen=True)
class ContactConfig:
    """How contacts change the targets."""

    follow: bool = True
    """Whether they do at all."""
    least_s: float = 0.1
    """Shorter touches are ignored (s)."""
    fade_s: float = 0.1
    """A touch takes this long to gain its full weight, and to lose it (s)."""
    slide_s: float = 0.8
    """Sliding on the object slower than this is real and kept; quicker is noise (s)."""
    sigma_tip: float = 0.003
    """Distance of a touching fingertip from its place worth one unit (m)."""
    sigma_position: float = 0.015
    """Move of the wrist off the tracked hand worth one unit (m)."""
    sigma_rotation: float = 0.08
    """Turn of the wrist off the tracked hand worth one unit (rad)."""
    surer: float = 2.0
    """In contact the arm's target counts as this many times surer."""


@dataclass(frozen=True)
class ContactPlan:
    """Where touching fingertips should be, frame by frame."""

    tips_world: Float64[np.ndarray, "t s=2 f=5 3"]
    weight: Float64[np.ndarray, "t s=2 f=5"]
    """0: free; 1: held."""

    @property
    def used(self) -> bool:
        """Whether any fingertip ever touches."""
        return bool((self.weight > 0).any())

    def sentence(self) -> str:
        """What a person should know."""
        touching = int((self.weight > 0).any(axis=(1, 2)).sum())
        return f"contacts followed: in {touching} of {len(self.weight)} frames a fingertip keeps its place on an object"

    def tips_wrist(
        self, tips_wrist: Float64[np.ndarray, "t s=2 f=5 3"], T_world_wrist: Float64[np.ndarray, "t s=2 4 4"]
    ) -> Float64[np.ndarray, "t s=2 f=5 3"]:
        """Fingertips in the wrist frame, the touching ones at their places seen from the given wrists."""
        held = apply(inverse(T_world_wrist), self.tips_world)
        return tips_wrist + self.weight[..., None] * (held - tips_wrist)


def plan_contacts(
    targets: HandTargets, objects: ObjectTracks, contacts: ContactTracks, config: ContactConfig
) -> ContactPlan:
    """Places on the objects for every touch of a fingertip. All tracks share the targets' instants.

    Raises:
        BadContacts: other numbers of frames or objects.
    """
    t, n = objects.valid.shape
    if t != len(targets.t_ns) or contacts.touching.shape[0] != t or contacts.touching.shape[3] != n:
        raise BadContacts(
            f"objects of {t} frames and {n} objects, contacts {contacts.touching.shape} for {len(targets.t_ns)} frames",
            hint="contacts are followed on the hands' own instants only (leave fps_hz out)",
        )
    tips = apply(targets.T_world_wrist, targets.tips_wrist)
    touching = contacts.touching[:, :, :5] & (contacts.valid & objects.valid[:, None])[:, :, None]
    touching &= targets.valid[:, :, None, None]
    nearest = np.where(touching, np.abs(contacts.distance[:, :, :5]), np.inf).argmin(axis=-1)
    plan = ContactPlan(tips.copy(), np.zeros(tips.shape[:3]))
    for side in (0, 1):
        for finger in range(5):
            for k in range(n):
                on = touching[:, side, finger, k] & (nearest[:, side, finger] == k)
                for first, end in _runs(on):
                    span = slice(first, end)
                    seconds = targets.seconds[span]
                    if seconds[-1] - seconds[0] < config.least_s:
                        continue
                    T = objects.T_world_object[span, k]
                    place = apply(inverse(T), tips[span, side, finger, None])[:, 0]
                    place = whittaker(place, None, seconds, config.slide_s, order=2)
                    plan.tips_world[span, side, finger] = apply(T, place[:, None])[:, 0]
                    plan.weight[span, side, finger] = _fade(seconds, config.fade_s, first > 0, end < t)
    return plan


def _runs(on: Bool[np.ndarray, " t"]) -> list[tuple[int, int]]:
    """Stretches of True as [first, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _fade(seconds: np.ndarray, fade_s: float, begins: bool, ends: bool) -> np.ndarray:
    """1 inside, falling smoothly to 0 at an end that lies within the clip."""
    up = (seconds - seconds[0]) / fade_s if begins else np.ones(len(seconds))
    down = (seconds[-1] - seconds) / fade_s if ends else np.ones(len(seconds))
    u = np.clip(np.minimum(up, down), 0.0, 1.0)
    return u * u * (3 - 2 * u)


def follow_contacts(targets: HandTargets, plan: ContactPlan, config: ContactConfig) -> HandTargets:
    """The targets with wrists and fingertips moved so that touching fingertips hold."""
    wrist = targets.T_world_wrist
    tips = apply(wrist, targets.tips_wrist)
    arm = tips - wrist[..., None, :3, 3]
    rows = np.zeros((*tips.shape, 6))  # slope of each tip by the wrist's move and turn
    rows[..., [0, 1, 2], [0, 1, 2]] = 1.0
    rows[..., 0, 4], rows[..., 0, 5] = arm[..., 2], -arm[..., 1]
    rows[..., 1, 3], rows[..., 1, 5] = -arm[..., 2], arm[..., 0]
    rows[..., 2, 3], rows[..., 2, 4] = arm[..., 1], -arm[..., 0]
    weight = plan.weight / config.sigma_tip**2
    prior = np.repeat([config.sigma_position**-2, config.sigma_rotation**-2], 3)
    matrix = np.einsum("tsf,tsfia,tsfib->tsab", weight, rows, rows) + np.diag(prior)
    vector = np.einsum("tsf,tsfia,tsfi->tsa", weight, rows, plan.tips_world - tips)
    move = np.linalg.solve(matrix, vector[..., None])[..., 0]
    moved = wrist.copy()
    moved[..., :3, 3] += move[..., :3]
    moved[..., :3, :3] = so3_exp(move[..., 3:]) @ wrist[..., :3, :3]
    surer = 1.0 + (config.surer - 1.0) * plan.weight.max(axis=2)
    return replace(
        targets,
        T_world_wrist=moved,
        tips_wrist=plan.tips_wrist(targets.tips_wrist, moved),
        sigma_position=targets.sigma_position / surer,
    )
