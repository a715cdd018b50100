"""The space seen in a mirror: left becomes right. For augmentation, and as a law that every encoder must keep.

The mirror is the plane x = 0 of the ego camera (and of the world, for the camera slots). Wrist frames keep y (back of
the hand) and z (thumb) on both sides, so a mirrored wrist has its own x turned round: `R' = M R M`, `M = diag(-1, 1, 1)`.
"""

from __future__ import annotations

import numpy as np

from reenact.actions.errors import BadActions
from reenact.actions.slots import Slot
from reenact.actions.vector import ActionVector, Known

_FLIP = {
    "position": np.array([-1.0, 1, 1]),
    "direction": np.array([-1.0, 1, 1]),
    "rotation": np.array([1.0, -1, -1, -1, 1, 1]),
    "opening": np.ones(1),
}
"""Signs of `M v`, and of the first two columns of `M R M`."""


def mirrored(vector: ActionVector) -> ActionVector:
    """The motion of a person's (or robot's) mirror image; twice is nothing.

    Raises:
        BadActions: known joint slots (which sign a joint takes is the robot's affair: leave them out first), or a slot
            whose other side this space lacks.
    """
    known: dict[str, Known] = {}
    for slot in vector.spec.slots:
        values, mask = vector.read(slot.name)
        if slot.kind == "joints":
            if mask.any():
                raise BadActions(f"slot {slot.name!r} holds joints, which cannot be mirrored here",
                                 hint="drop it with onto() first")  # fmt: skip
            continue
        name = other_side(slot)
        if not vector.spec.has(name):
            raise BadActions(f"slot {slot.name!r} has no {name!r} to go to")
        known[name] = (values * _FLIP[slot.kind], mask)
    return ActionVector.assemble(vector.spec, vector.t_ns, known)


def other_side(slot: Slot) -> str:
    """Name of the same slot on the other side; its own where it has no side."""
    parts = slot.name.split("_")
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(part, part) for part in parts)
