"""Features of a LeRobot dataset: name, dtype, shape, element names; and their Arrow columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reenact.errors import RecordError

POLICY_PREFIXES = ("observation", "action")
"""LeRobot feeds every numeric column whose name starts so to the policy (measured with 0.4.4 and 0.6.1)."""
SIDE_PREFIXES = ("human.", "object.", "camera.", "annotation.", "video_pts", "quality.")
BOOKKEEPING = ("timestamp", "frame_index", "episode_index", "index", "task_index")


@dataclass(frozen=True)
class Feature:
    """One column. `shape` is (n,); a scalar has shape (1,) and `names` None."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...] | None = None
    is_foreign: bool = False
    """A column of somebody else's dataset: carried over whatever its name; `data validate` says what leaks."""

    def __post_init__(self) -> None:
        if "/" in self.name:
            raise RecordError(f"feature name {self.name!r} holds a '/'", hint="LeRobot forbids it; use a dot")
        policy = (
            self.name == "action"
            or self.name == "observation.state"
            or self.name.startswith("observation.images.")
        )
        side = self.name.startswith(SIDE_PREFIXES) or self.name in BOOKKEEPING
        if not (policy or side or self.is_foreign):
            raise RecordError(
                f"feature {self.name!r} would leak into the policy or is unknown",
                hint=f"side information starts with one of {', '.join(SIDE_PREFIXES)}",
            )
        if self.names is not None and len(self.names) != int(np.prod(self.shape)):
            raise RecordError(f"feature {self.name!r} has {len(self.names)} names for shape {self.shape}")

    def info(self) -> dict[str, Any]:
        """Its entry in `meta/info.json`."""
        return {
            "dtype": self.dtype,
            "shape": list(self.shape),
            "names": list(self.names) if self.names else None,
        }

    def column(self, values: np.ndarray) -> Any:
        """Arrow array of t rows; raises `RecordError` when shape, dtype kind or finiteness do not fit."""
        import pyarrow as pa

        values = np.asarray(values)
        if self.dtype == "string":
            return pa.array([str(v) for v in values.reshape(-1)])
        width = int(np.prod(self.shape))
        if values.reshape(len(values), -1).shape[1] != width:
            raise RecordError(
                f"feature {self.name!r} got rows of {values.shape[1:]}", hint=f"declared {self.shape}"
            )
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise RecordError(
                f"feature {self.name!r} holds NaN or infinity", hint="mark rows in a `valid` column"
            )
        flat = pa.array(np.ascontiguousarray(values.astype(self.dtype)).reshape(-1))
        return flat if self.shape == (1,) else pa.FixedSizeListArray.from_arrays(flat, width)


def bookkeeping_features() -> tuple[Feature, ...]:
    """The five columns every LeRobot dataset has."""
    return (
        Feature("timestamp", "float32", (1,)),
        *(Feature(name, "int64", (1,)) for name in BOOKKEEPING[1:]),
    )
