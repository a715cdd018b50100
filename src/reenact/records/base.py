"""`Record`: a frozen dataclass that cannot be built wrong.

In: keyword arguments. Out: an immutable value whose arrays are read-only copies of what was given and fit
the jaxtyping annotation of their field; named axes (`t`, `o`, ...) must agree across all fields of a record.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, ClassVar

import numpy as np
from jaxtyping import jaxtyped

from reenact.errors import RecordError


def field_types(cls: type) -> dict[str, Any]:
    """Resolved annotations of a record class, class variables left out."""
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


def is_array_type(annotation: Any) -> bool:
    """Whether a field annotation is a jaxtyping numpy array."""
    return getattr(annotation, "array_type", None) is np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """Base of all records. Subclasses are `@dataclass(frozen=True, kw_only=True)` and set the two class variables.

    Raises `RecordError` on construction when an array has the wrong type, shape or dtype, is not finite, or
    when `check()` of the subclass objects; the message names record, field and offending value.
    """

    SCHEMA: ClassVar[str] = ""
    """Stable name of the record kind, stored in the file."""
    VERSION: ClassVar[int] = 1
    """Bumped whenever a field changes meaning; readers refuse versions they do not know."""

    def __post_init__(self) -> None:
        types = field_types(type(self))
        with jaxtyped("context"):
            for name, annotation in types.items():
                if is_array_type(annotation):
                    array = self._copied_array(name)
                    # axes are bound by isinstance in the frame of this context, so it has to stand here
                    self._admit_array(name, annotation, array, fits=isinstance(array, annotation))
        self.check()

    def _copied_array(self, name: str) -> np.ndarray:
        given = getattr(self, name)
        if not isinstance(given, np.ndarray):
            raise RecordError(f"{self._where(name)} must be a numpy array, got {type(given).__name__}")
        return np.array(given, copy=True, order="C")

    def _admit_array(self, name: str, annotation: Any, array: np.ndarray, *, fits: bool) -> None:
        if not fits:
            raise RecordError(
                f"{self._where(name)} has dtype {array.dtype} and shape {array.shape}",
                hint=f"expected {annotation.dtype.__name__} '{annotation.dim_str}' and axes that agree across fields",
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            first = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise RecordError(
                f"{self._where(name)} is {array[first]} at index {first}",
                hint="missing values are marked in `valid`, never by NaN or infinity",
            )
        array.setflags(write=False)
        object.__setattr__(self, name, array)

    def _where(self, name: str) -> str:
        return f"{type(self).__name__}.{name}"

    def check(self) -> None:
        """Extra laws of the subclass; raise `RecordError` through `require`."""

    def require(self, condition: bool | np.bool_, field: str, problem: str, hint: str = "") -> None:
        """Raise `RecordError` naming the field unless the condition holds."""
        if not condition:
            raise RecordError(f"{self._where(field)} {problem}", hint=hint)

    def require_choice(self, field: str, choices: tuple[str, ...]) -> None:
        """The text field holds one of the choices."""
        value = getattr(self, field)
        self.require(value in choices, field, f"is {value!r}", f"one of {', '.join(choices)}")

    def require_fraction(self, *fields: str) -> None:
        """The array or number fields lie in 0..1."""
        for field in fields:
            values = np.asarray(getattr(self, field))
            ok = bool(((values >= 0) & (values <= 1)).all())
            self.require(ok, field, f"leaves 0..1 (min {values.min(initial=1)}, max {values.max(initial=0)})")

    def require_transforms(self, field: str) -> None:
        """The 4x4 matrices are rigid: orthonormal to 1e-6, right-handed, last row 0 0 0 1."""
        T = getattr(self, field)
        R = T[..., :3, :3]
        residual = np.abs(R @ np.swapaxes(R, -1, -2) - np.eye(3)).max(initial=0.0)
        self.require(
            residual < 1e-6, field, f"is not orthonormal (residual {residual:.2e})", "rotations to 1e-6"
        )
        self.require(
            bool((np.linalg.det(R) > 0).all()), field, "holds a reflection", "right-handed frames only"
        )
        self.require(bool((T[..., 3, :] == [0, 0, 0, 1]).all()), field, "has a last row other than 0 0 0 1")
