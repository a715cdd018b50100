"""Numbers for the page: typed arrays as base64 inside JSON, exactly as `assets/data.js` reads them back."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

DTYPES = ("float32", "uint8", "uint16", "uint32", "int16")


def packed(values: np.ndarray, dtype: str = "float32") -> dict[str, Any]:
    """An array as {dtype, shape, b64}; little-endian, C order.

    Raises ValueError for a dtype the page does not know.
    """
    if dtype not in DTYPES:
        raise ValueError(f"the page reads {', '.join(DTYPES)}, not {dtype}")
    array = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    return {
        "dtype": dtype,
        "shape": list(array.shape),
        "b64": base64.b64encode(array.tobytes()).decode("ascii"),
    }
