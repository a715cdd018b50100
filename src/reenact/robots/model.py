"""The robot as the rest of the package sees it: joints, limits, arms, hands, wrist frames, kinematics."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import mujoco
import numpy as np
from jaxtyping import Bool, Float, Int

from reenact.robots.build import BASE
from reenact.robots.kinematics import Kinematics
from reenact.robots.sheet import FINGER_ORDER, FrameSpec, Sheet

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Arm:
    """Joints from shoulder to wrist."""

    side: Side
    joint_names: tuple[str, ...]
    joint_idx: Int[np.ndarray, " k"]
    """Columns of q; frozen joints are left out."""


@dataclass(frozen=True)
class Finger:
    """One finger: which joints do what, and its tip's frame name."""

    name: str
    """``thumb``, ``index``, ``middle``, ``ring`` or ``pinky``."""
    tip_frame: str
    joint_names: tuple[str, ...]
    joint_idx: Int[np.ndarray, " k"]
    roles: tuple[str, ...]
    """``bend``, ``spread``, ``oppose`` or ``twist`` per joint, from the palm outwards."""
    signs: Float[np.ndarray, " k"]
    """``signs * q`` grows when curling, spreading towards the thumb side, or crossing the palm."""


@dataclass(frozen=True)
class Hand:
    """Fingers in the order thumb, index, middle, ring, pinky; those it lacks are left out."""

    side: Side
    fingers: tuple[Finger, ...]
    joint_idx: Int[np.ndarray, " k"]
    """All finger joints (coupled ones too), in q order."""

    @property
    def finger_names(self) -> tuple[str, ...]:
        """Names of the fingers it has."""
        return tuple(finger.name for finger in self.fingers)


@dataclass(frozen=True)
class Gripper:
    """Two jaws: joint values open and closed, and the opening between the pads when open (m)."""

    side: Side
    joint_names: tuple[str, ...]
    joint_idx: Int[np.ndarray, " k"]
    open: Float[np.ndarray, " k"]
    closed: Float[np.ndarray, " k"]
    aperture: float
    tip_frame: str

    def joints_at(self, opening: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*b k"]:
        """Joint values for a distance between the pads in metres, held within 0..``aperture``."""
        share = np.clip(np.asarray(opening, float) / self.aperture, 0.0, 1.0)[..., None]
        return self.closed + share * (self.open - self.closed)


class Robot:
    """A robot ready for kinematics, simulation and pictures. Make one with ``registry.load_robot``.

    ``q`` holds every movable joint (coupled followers included) in ``joint_names`` order, radians or metres.
    All poses are in the robot's base frame; ``set_state`` puts the base somewhere in the world.
    """

    def __init__(self, sheet: Sheet, spec: Any) -> None:
        """From a flat, checked sheet and the ``mujoco.MjSpec`` built from it (or from a user's file)."""
        self.name = sheet.name
        self.sheet = sheet
        self.spec = spec
        self.model: mujoco.MjModel = spec.compile()
        model = self.model
        self.joint_names: tuple[str, ...] = tuple(model.joint(j).name for j in range(model.njnt))
        self.n_q = len(self.joint_names)
        self._column = {name: k for k, name in enumerate(self.joint_names)}
        self.lower, self.upper = model.jnt_range.T.copy()
        self.effort_limits = np.abs(model.jnt_actfrcrange).max(axis=1)
        self.velocity_limits = _velocity_limits(sheet, self.joint_names)
        self.home_q = self._home()
        self.arms: dict[Side, Arm] = {s: self._arm(s) for s in _sides(sheet.arms)}
        self.hands: dict[Side, Hand] = {s: self._hand(s) for s in _sides(sheet.hands)}
        self.grippers: dict[Side, Gripper] = {s: self._gripper(s) for s in _sides(sheet.grippers)}
        self.wrist_sides: tuple[Side, ...] = _sides(sheet.wrists)
        self.kinematics = Kinematics(model, BASE, self._frames())
        self._couple()

    # --- what the sheet says ---

    def _index(self, names: Sequence[str]) -> Int[np.ndarray, " k"]:
        return np.array([self._column[name] for name in names if name in self._column], int)

    def _home(self) -> Float[np.ndarray, " q"]:
        home = np.clip(0.0, self.lower, self.upper)
        for name, value in self.sheet.home.items():
            if name in self._column:
                home[self._column[name]] = value
        return home

    def _arm(self, side: Side) -> Arm:
        names = tuple(n for n in self.sheet.arms[side].joints if n in self._column)
        return Arm(side, names, self._index(names))

    def _hand(self, side: Side) -> Hand:
        fingers = []
        for name in FINGER_ORDER:
            spec = self.sheet.hands[side].fingers.get(name)
            if spec is None:
                continue
            joints = [j for j in spec.joints if j.name in self._column]
            names = tuple(j.name for j in joints)
            roles, signs = tuple(j.role for j in joints), np.array([j.sign for j in joints], float)
            fingers.append(Finger(name, f"tip_{side}_{name}", names, self._index(names), roles, signs))
        columns = np.unique(np.concatenate([finger.joint_idx for finger in fingers]))
        return Hand(side, tuple(fingers), columns)

    def _gripper(self, side: Side) -> Gripper:
        spec = self.sheet.grippers[side]
        opened, closed = np.array(spec.open), np.array(spec.closed)
        return Gripper(
            side, spec.joints, self._index(spec.joints), opened, closed, spec.aperture, f"grip_{side}"
        )

    def _frames(self) -> dict[str, FrameSpec]:
        frames = {f"wrist_{side}": frame for side, frame in self.sheet.wrists.items()}
        for side, hand in self.sheet.hands.items():
            frames.update({f"tip_{side}_{name}": finger.tip for name, finger in hand.fingers.items()})
        frames.update({f"grip_{side}": gripper.tip for side, gripper in self.sheet.grippers.items()})
        names = [self.model.body(b).name for b in range(1, self.model.nbody)]
        frames.update({name: FrameSpec(body=name) for name in names if name not in frames and name != BASE})
        return frames

    def _couple(self) -> None:
        """``q = coupling_matrix @ q[free_idx] + coupling_offset`` for every q that obeys the couplings."""
        followers = {c.joint: c for c in self.sheet.couplings if c.joint in self._column}
        self.free_idx = np.array([k for k, n in enumerate(self.joint_names) if n not in followers], int)
        matrix = np.eye(self.n_q)
        self.coupling_offset = np.zeros(self.n_q)
        for name, coupling in followers.items():
            row = self._column[name]
            matrix[row] = 0.0
            self.coupling_offset[row] = coupling.offset
            if coupling.of in self._column:
                matrix[row, self._column[coupling.of]] = coupling.scale
            else:
                self.coupling_offset[row] += coupling.scale * self.sheet.home.get(coupling.of, 0.0)
        self.coupling_matrix = matrix[:, self.free_idx]
        self.home_q = self.couple(self.home_q)

    # --- what others ask ---

    @functools.cached_property
    def sheet_hash(self) -> str:
        """SHA-256 of the flat sheet and of the compiled figures: two robots with one hash are the same."""
        text = json.dumps(asdict(self.sheet), sort_keys=True)
        figures = [self.model.body_pos, self.model.body_quat, self.model.jnt_axis, self.model.jnt_range]
        digest = hashlib.sha256(text.encode())
        for array in figures:
            digest.update(np.round(array, 9).astype("<f8").tobytes())
        digest.update(" ".join(self.joint_names).encode())
        return digest.hexdigest()

    def joint_idx(self, names: Sequence[str]) -> Int[np.ndarray, " k"]:
        """Columns of q of the named joints.

        Raises:
            KeyError: a name this robot does not have (or has frozen).
        """
        return np.array([self._column[name] for name in names], int)

    def couple(self, q: Float[np.ndarray, "*b q"]) -> Float[np.ndarray, "*b q"]:
        """``q`` with every coupled joint set from the joint it follows."""
        return np.asarray(q, float)[..., self.free_idx] @ self.coupling_matrix.T + self.coupling_offset

    def frames(self, q: Float[np.ndarray, "*b q"], names: Sequence[str]) -> Float[np.ndarray, "*b f 4 4"]:
        """``T_base_frame`` of wrists (``wrist_left``), tips (``tip_left_thumb``), grips and any body."""
        return self.kinematics.frames(q, names)

    def T_base_wrist(self, q: Float[np.ndarray, "*b q"], side: Side) -> Float[np.ndarray, "*b 4 4"]:
        """Pose of the wrist frame (y palm to back of hand, z little finger to thumb) in the base frame."""
        return self.kinematics.frames(q, [f"wrist_{side}"])[..., 0, :, :]

    def fingertips(self, q: Float[np.ndarray, "*b q"], side: Side) -> Float[np.ndarray, "*b k 3"]:
        """Fingertip positions in the base frame, metres, in the order of ``hands[side].fingers``."""
        names = [finger.tip_frame for finger in self.hands[side].fingers]
        return self.kinematics.frames(q, names)[..., :3, 3]

    def within_limits(self, q: Float[np.ndarray, "*b q"], slack: float = 1e-6) -> Bool[np.ndarray, "*b q"]:
        """Whether each joint lies in its range, to ``slack``."""
        return (q >= self.lower - slack) & (q <= self.upper + slack)

    def set_state(
        self,
        data: mujoco.MjData,
        q: Float[np.ndarray, " q"],
        T_world_base: Float[np.ndarray, "4 4"] | None = None,
    ) -> None:
        """Puts joints (and, if given, the base) into ``data`` and updates all positions."""
        data.qpos[:] = q
        if T_world_base is not None:
            data.mocap_pos[0] = T_world_base[:3, 3]
            mujoco.mju_mat2Quat(data.mocap_quat[0], np.ascontiguousarray(T_world_base[:3, :3]).ravel())
        mujoco.mj_kinematics(self.model, data)

    def self_collisions(
        self, q: Float[np.ndarray, " q"], margin: float = 0.0
    ) -> list[tuple[str, str, float]]:
        """Pairs of bodies nearer than ``margin`` (m) and their distance, negative when they overlap."""
        model, data = self._collision_model(margin)
        data.qpos[:] = q
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        pairs: dict[tuple[str, str], float] = {}
        for contact in data.contact[: data.ncon]:
            bodies = sorted(model.body(model.geom_bodyid[g]).name for g in (contact.geom1, contact.geom2))
            key = (bodies[0], bodies[1])
            pairs[key] = min(pairs.get(key, np.inf), float(contact.dist))
        return [(a, b, d) for (a, b), d in sorted(pairs.items()) if d < margin]

    @functools.lru_cache(maxsize=4)  # noqa: B019 - a robot lives as long as its models
    def _collision_model(self, margin: float) -> tuple[mujoco.MjModel, mujoco.MjData]:
        model = self.spec.compile()
        model.geom_margin[:] = margin
        return model, mujoco.MjData(model)


def _sides(table: dict[str, Any]) -> tuple[Side, ...]:
    return tuple(side for side in ("left", "right") if side in table)


def _velocity_limits(sheet: Sheet, names: Sequence[str]) -> Float[np.ndarray, " q"]:
    known = {b.joint.name: b.joint.velocity for b in sheet.bodies if b.joint} | sheet.velocity
    return np.array([known.get(name, np.inf) for name in names])
