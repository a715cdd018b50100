"""Just enough of Wavefront OBJ: vertices and triangles; polygons are fanned. Units are the caller's business."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from reenact.datasets.readers.errors import DamagedSource


def read_obj(path: Path) -> tuple[Float64[np.ndarray, "v 3"], Int64[np.ndarray, "f 3"]]:
    """Vertices and faces; raises `DamagedSource` where a face names a vertex that is not there."""
    vertices: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = line.split()
        if not parts:
            continue
        if parts[0] == "v":
            vertices.append([float(v) for v in parts[1:4]])
        elif parts[0] == "f":
            corner = [int(p.split("/")[0]) for p in parts[1:]]
            corner = [c - 1 if c > 0 else len(vertices) + c for c in corner]
            faces += [(corner[0], corner[i], corner[i + 1]) for i in range(1, len(corner) - 1)]
    v, f = np.array(vertices, np.float64).reshape(-1, 3), np.array(faces, np.int64).reshape(-1, 3)
    if len(f) and not (f.min() >= 0 and f.max() < len(v)):
        raise DamagedSource(f"{path.name} has faces beyond its {len(v)} vertices")
    return v, f
