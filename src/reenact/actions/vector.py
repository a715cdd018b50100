"""`ActionVector`: the numbers of an action space over time, each slot known or masked.

A masked number is never to be read: `get` refuses, `read` hands the mask along, `filled` makes the caller choose what
stands there. No function of this folder lets a masked number reach an unmasked one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.actions.errors import BadActions, MaskedSlot
from reenact.actions.slots import ActionSpec
from reenact.geometry.rotations import matrix_from_rot6d_cols, rot6d_cols_from_matrix
from reenact.records import Record

Known = tuple[np.ndarray, np.ndarray]
"""Values [t w] and whether each row is known [t]."""


@dataclass(frozen=True, kw_only=True)
class ActionVector(Record):
    """One row per instant. States and absolute actions are the same thing here; `chunks` makes actions of them."""

    SCHEMA = "reenact.action_vector"
    VERSION = 1

    slots: tuple[tuple[str, ...], ...]
    """The specification as text (`ActionSpec.to_rows`), so that the file explains itself."""
    t_ns: Int64[np.ndarray, " t"]
    """Strictly rising instants."""
    values: Float64[np.ndarray, "t a"]
    mask: Bool[np.ndarray, "t k"]
    """Per slot: True where known."""

    def check(self) -> None:
        spec = self.spec
        self.require(
            self.values.shape[1] == spec.width,
            "values",
            f"has {self.values.shape[1]} columns",
            f"the slots have {spec.width}",
        )
        self.require(
            self.mask.shape[1] == len(spec.slots),
            "mask",
            f"has {self.mask.shape[1]} columns",
            f"{len(spec.slots)} slots",
        )
        self.require(bool((np.diff(self.t_ns) > 0).all()), "t_ns", "does not rise strictly")
        for slot in spec.slots:
            if slot.kind == "rotation":
                self._check_rotation(slot.name)

    def _check_rotation(self, name: str) -> None:
        values, mask = self.read(name)
        a, b = values[mask, :3], values[mask, 3:]
        off = [np.abs((a * a).sum(-1) - 1), np.abs((b * b).sum(-1) - 1), np.abs((a * b).sum(-1))]
        worst = max(float(part.max(initial=0.0)) for part in off)
        self.require(worst < 1e-3, "values", f"{name} is not orthonormal (residual {worst:.1e})",
                     "a network's raw output goes through `ActionVector.of(..., orthonormalize=True)`")  # fmt: skip

    @staticmethod
    def of(
        spec: ActionSpec,
        t_ns: Int64[np.ndarray, " t"],
        values: Float64[np.ndarray, "t a"],
        mask: Bool[np.ndarray, "t k"],
        *,
        orthonormalize: bool = False,
    ) -> ActionVector:
        """From arrays; masked numbers are replaced by the slots' filler, so equal knowledge makes equal records.

        Args:
            spec: the slots of `values`.
            t_ns: instants.
            values: numbers; anything (also NaN) where masked.
            mask: per slot.
            orthonormalize: bring rotations to the nearest ones by Gram-Schmidt (for predictions).

        Raises:
            RecordError: shapes that do not fit, rotations that are none.
        """
        values, mask = np.array(values, np.float64), np.asarray(mask)
        if (
            values.ndim == 2
            and values.shape[1] == spec.width
            and mask.shape == (len(values), len(spec.slots))
        ):
            values = np.where(mask[:, list(spec.slot_of_column)], values, spec.filler())
            for slot in spec.slots if orthonormalize else ():
                if slot.kind == "rotation":
                    R = matrix_from_rot6d_cols(values[:, spec.columns(slot.name)])
                    values[:, spec.columns(slot.name)] = np.concatenate([R[..., 0], R[..., 1]], axis=-1)
        return ActionVector(slots=spec.to_rows(), t_ns=t_ns, values=values, mask=mask)

    @staticmethod
    def assemble(spec: ActionSpec, t_ns: Int64[np.ndarray, " t"], known: Mapping[str, Known]) -> ActionVector:
        """From some slots' values and masks; all other slots are masked.

        Raises:
            UnknownSlot: a slot that the space does not have.
            BadActions: arrays that are not [t w] and [t].
        """
        t = len(t_ns)
        values = np.tile(spec.filler(), (t, 1))
        mask = np.zeros((t, len(spec.slots)), bool)
        for name, (numbers, ok) in known.items():
            k, columns = spec.index(name), spec.columns(name)
            width = spec.slots[k].width
            if np.shape(numbers) != (t, width) or np.shape(ok) != (t,):
                raise BadActions(f"slot {name!r} was given {np.shape(numbers)} and mask {np.shape(ok)}",
                                 hint=f"expected {(t, width)} and {(t,)}")  # fmt: skip
            mask[:, k], values[:, columns] = ok, numbers
        return ActionVector.of(spec, t_ns, values, mask)

    @cached_property
    def spec(self) -> ActionSpec:
        """The declaration of the slots."""
        return ActionSpec.from_rows(self.slots)

    @property
    def mask_columns(self) -> Bool[np.ndarray, "t a"]:
        """The mask per number, as a loss wants it."""
        return self.mask[:, list(self.spec.slot_of_column)]

    def __len__(self) -> int:
        return len(self.t_ns)

    def get(self, name: str) -> Float64[np.ndarray, "t w"]:
        """A slot's numbers, all of them known.

        Raises:
            MaskedSlot: any row is masked.
            UnknownSlot: no such slot.
        """
        values, mask = self.read(name)
        if not mask.all():
            count, first = int((~mask).sum()), int(np.argmin(mask))
            raise MaskedSlot(
                f"slot {name!r} is masked in {count} of {len(mask)} rows, first in row {first}",
                hint="use read(), which hands the mask along, or take the rows where it is known",
            )
        return values

    def read(self, name: str) -> Known:
        """A slot's numbers and where they are known; raises `UnknownSlot`."""
        return self.values[:, self.spec.columns(name)], self.mask[:, self.spec.index(name)]

    def pose(self, body: str) -> tuple[Float64[np.ndarray, "t 4 4"], Bool[np.ndarray, " t"]]:
        """`T_frame_body` from the slots ``<body>_position`` and ``<body>_rotation``, and where both are known."""
        position, known_p = self.read(f"{body}_position")
        rotation, known_r = self.read(f"{body}_rotation")
        T = np.zeros((len(self), 4, 4))
        T[:, :3, :3] = matrix_from_rot6d_cols(rotation)
        T[:, :3, 3], T[:, 3, 3] = position, 1.0
        return T, known_p & known_r

    def filled(self, filler: Float64[np.ndarray, " a"]) -> Float64[np.ndarray, "t a"]:
        """All numbers, `filler` (a data set's mean, say) where masked."""
        return np.where(self.mask_columns, self.values, filler)

    def rows(self, idx: slice | Int64[np.ndarray, " m"] | Bool[np.ndarray, " t"]) -> ActionVector:
        """Some instants."""
        return ActionVector(
            slots=self.slots, t_ns=self.t_ns[idx], values=self.values[idx], mask=self.mask[idx]
        )

    def onto(self, spec: ActionSpec) -> ActionVector:
        """The same knowledge in another space: slots it lacks are dropped, slots this one lacks are masked.

        Raises:
            BadActions: a slot of the same name means something else there.
        """
        shared = [name for name in spec.names if self.spec.has(name)]
        for name in shared:
            if spec.slot(name) != self.spec.slot(name):
                raise BadActions(
                    f"slot {name!r} differs between the two spaces",
                    hint=f"{self.spec.slot(name)} against {spec.slot(name)}",
                )
        return ActionVector.assemble(spec, self.t_ns, {name: self.read(name) for name in shared})


def pose_known(body: str, T: Float64[np.ndarray, "t 4 4"], known: Bool[np.ndarray, " t"]) -> dict[str, Known]:
    """A pose as its two slots, for `ActionVector.assemble`; the inverse of `ActionVector.pose`."""
    return {
        f"{body}_position": (T[:, :3, 3], known),
        f"{body}_rotation": (rot6d_cols_from_matrix(T[:, :3, :3]), known),
    }
