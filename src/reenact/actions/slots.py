"""The one declaration of the action space: which numbers, in which frame and unit, in which order.

METIS (3.3, 4.1, appendix A): 18 numbers for the wrists (per hand a position and a six-number rotation in the
ego-camera frame) and 30 for the fingers (five fingertips per hand in the wrist frame). Around that core stand optional
slots: grippers, joints, gaze, the camera itself. The order within METIS's 48 numbers is not published; ours is
`UNIFIED`. Six-number rotations are `rot6d_cols`, as everywhere here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float64

from reenact.actions.errors import BadActions, UnknownSlot
from reenact.hands.joints import FINGERS, SIDES

Kind = Literal["position", "rotation", "direction", "opening", "joints"]
Delta = Literal["pose", "difference", "keep"]

SIZES = {"position": 3, "rotation": 6, "direction": 3, "opening": 1}
"""Numbers per slot; a slot of kind ``joints`` has one per joint."""

FILLER = 0.5
"""What masked numbers hold (but for rotations: the identity; directions: forward): finite, meaningless, not zero."""

_XYZ = ("x", "y", "z")
_ROT6D = ("r00", "r10", "r20", "r01", "r11", "r21")


@dataclass(frozen=True)
class Slot:
    """A few numbers that are known together or not at all."""

    name: str
    kind: Kind
    frame: str
    """``ego`` (the ego camera at the same instant, OpenCV axes), ``wrist_left``/``wrist_right``, ``world``, or ``""``."""
    unit: str
    """``m``, ``rad`` or ``1``."""
    delta: Delta
    """How a relative action states it: as half of a pose, as a difference, or not at all (stays absolute)."""
    components: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many numbers."""
        return len(self.components)

    @property
    def body(self) -> str:
        """What a position or rotation is of: ``wrist_left`` for ``wrist_left_rotation``."""
        return self.name.removesuffix("_position").removesuffix("_rotation")

    def filler(self) -> Float64[np.ndarray, " w"]:
        """What stands where this slot is masked."""
        if self.kind == "rotation":
            return np.array([1.0, 0, 0, 0, 1, 0])
        if self.kind == "direction":
            return np.array([0.0, 0, 1])
        return np.full(self.width, FILLER)

    def check(self) -> None:
        """Raises `BadActions` for a slot that contradicts itself."""
        if not self.width or (self.kind in SIZES and self.width != SIZES[self.kind]):
            raise BadActions(f"slot {self.name!r} of kind {self.kind} has {self.width} numbers",
                             hint=f"expected {SIZES.get(self.kind, 'at least one')}")  # fmt: skip
        if self.delta == "pose" and self.kind not in ("position", "rotation"):
            raise BadActions(f"slot {self.name!r} of kind {self.kind} cannot be half of a pose")


@dataclass(frozen=True)
class ActionSpec:
    """An ordered set of slots. Two spaces with equal specs hold comparable numbers."""

    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        names = [slot.name for slot in self.slots]
        if len(set(names)) != len(names):
            raise BadActions(f"slots named twice: {sorted({n for n in names if names.count(n) > 1})}")
        for slot in self.slots:
            slot.check()
            other = {"position": "rotation", "rotation": "position"}.get(slot.kind, "")
            if slot.delta == "pose" and f"{slot.body}_{other}" not in names:
                raise BadActions(f"slot {slot.name!r} is half of a pose and its {other} is absent")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Slot names, in order."""
        return tuple(slot.name for slot in self.slots)

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(np.cumsum([slot.width for slot in self.slots]).tolist())

    @property
    def width(self) -> int:
        """Numbers per instant (axis a)."""
        return self._ends[-1] if self._ends else 0

    @cached_property
    def component_names(self) -> tuple[str, ...]:
        """One name per number: ``wrist_left_position.x``."""
        return tuple(f"{slot.name}.{c}" for slot in self.slots for c in slot.components)

    @cached_property
    def slot_of_column(self) -> tuple[int, ...]:
        """Index of the slot that each number belongs to; ``mask[..., slot_of_column]`` is a mask per number."""
        return tuple(k for k, slot in enumerate(self.slots) for _ in slot.components)

    def index(self, name: str) -> int:
        """Place of a slot in the mask.

        Raises:
            UnknownSlot: there is none of that name.
        """
        if name not in self.names:
            raise UnknownSlot(f"no slot {name!r} in this space", hint=f"it has {', '.join(self.names)}")
        return self.names.index(name)

    def slot(self, name: str) -> Slot:
        """The slot of that name; raises `UnknownSlot`."""
        return self.slots[self.index(name)]

    def columns(self, name: str) -> slice:
        """Where a slot's numbers stand; raises `UnknownSlot`."""
        k = self.index(name)
        return slice(self._ends[k] - self.slots[k].width, self._ends[k])

    def has(self, *names: str) -> bool:
        """Whether all the slots are there."""
        return set(names) <= set(self.names)

    def select(self, names: tuple[str, ...]) -> ActionSpec:
        """A smaller (or reordered) space; raises `UnknownSlot`."""
        return ActionSpec(tuple(self.slot(name) for name in names))

    def filler(self) -> Float64[np.ndarray, " a"]:
        """What masked numbers hold."""
        return np.concatenate([slot.filler() for slot in self.slots]) if self.slots else np.zeros(0)

    def to_rows(self) -> tuple[tuple[str, ...], ...]:
        """As plain text, one row per slot: name, kind, frame, unit, delta, then the components."""
        return tuple((s.name, s.kind, s.frame, s.unit, s.delta, *s.components) for s in self.slots)

    @staticmethod
    def from_rows(rows: tuple[tuple[str, ...], ...]) -> ActionSpec:
        """Inverse of `to_rows`; raises `BadActions` when a row is not one of ours."""
        for row in rows:
            if (
                len(row) < 6
                or row[1] not in (*SIZES, "joints")
                or row[4] not in ("pose", "difference", "keep")
            ):
                raise BadActions(f"{row!r} is not a slot", hint="name, kind, frame, unit, delta, components")
        return ActionSpec(
            tuple(Slot(n, kind, frame, unit, delta, tuple(c)) for n, kind, frame, unit, delta, *c in rows)  # type: ignore[arg-type]
        )


def wrist_slots(side: str) -> tuple[Slot, Slot]:
    """Position (m) and rotation of a wrist in the ego camera: 9 numbers."""
    name = f"wrist_{side}"
    return (
        Slot(f"{name}_position", "position", "ego", "m", "pose", _XYZ),
        Slot(f"{name}_rotation", "rotation", "ego", "1", "pose", _ROT6D),
    )


def tip_slot(side: str, finger: str) -> Slot:
    """A fingertip in its wrist's frame (m)."""
    return Slot(f"tip_{side}_{finger}", "position", f"wrist_{side}", "m", "difference", _XYZ)


def gripper_slot(side: str) -> Slot:
    """Distance between the jaws' pads (m); absolute in relative actions too, as graspers are commanded."""
    return Slot(f"gripper_{side}", "opening", "", "m", "keep", ("opening",))


CAMERA = (
    Slot("camera_position", "position", "world", "m", "keep", _XYZ),
    Slot("camera_rotation", "rotation", "world", "1", "keep", _ROT6D),
)
"""Where the ego camera is: `T_world_camera`. Not for a policy's eyes; it ties instants to one another."""
GAZE = Slot("gaze", "direction", "ego", "1", "keep", _XYZ)
"""Unit direction of the eyes."""
WRISTS = tuple(slot for side in SIDES for slot in wrist_slots(side))
"""18 numbers."""
FINGERTIPS = tuple(tip_slot(side, finger) for side in SIDES for finger in FINGERS)
"""30 numbers."""
UNIFIED = ActionSpec(WRISTS + FINGERTIPS)
"""The 48 numbers every source shares."""


def unified_spec(
    *, camera: bool = False, gaze: bool = False, grippers: bool = False, joints: tuple[Slot, ...] = ()
) -> ActionSpec:
    """The 48 numbers followed by the optional slots asked for."""
    extra = tuple(gripper_slot(side) for side in SIDES) if grippers else ()
    return ActionSpec(UNIFIED.slots + extra + joints + ((GAZE,) if gaze else ()) + (CAMERA if camera else ()))
