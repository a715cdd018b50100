"""Fourier ActionNet: `<episode>.hdf5` with `state/{hand,pose,robot}`, `action/{hand,pose,robot}`, `timestamp`.

Source: radians and metres; `robot` 32 joints (GR1-T1/T2) or 29 (GR2), `hand` 12 or 24 (left half first), `pose` 27 =
left arm, right arm, head, 9 each. The README shows channels first (12, x); whichever axis has the timestamps' length
is time, and files where both could be are refused. Each 9 holds "the first two columns of the rotation matrix" and the
position: the order inside is not written, so both layouts are tried (rotation first, or position first) and the one
whose six numbers are orthonormal columns is taken; if neither or both are, the pose is left raw and named unknown. So
it is where the width is not 27: users report 24 for `action/pose`.
Prompt from `Metadata.json` (any case) beside, by episode id. Timestamps: seconds, or ns when above 1e14.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import Images, Provenance, RobotEpisode
from reenact.datasets.readers.errors import DamagedSource, UnitUnsure
from reenact.datasets.readers.frames import rate_of
from reenact.datasets.readers.licences import ACTIONNET
from reenact.datasets.readers.probes import hdf5_shapes
from reenact.datasets.readers.rot6d import matrix_from_rot6d
from reenact.geometry.transforms import make_T

LINKS = ("left_arm", "right_arm", "head")
_ROBOTS = {32: "Fourier GR1", 29: "Fourier GR2"}


def sniff(path: Path) -> bool:
    """An HDF5 file with the three state groups."""
    names = tuple(f"{a}/{b}" for a in ("state", "action") for b in ("hand", "pose", "robot"))
    return len(hdf5_shapes(path, names)) == len(names)


def read(path: Path) -> Iterator[RobotEpisode]:
    """The one episode; raises `DamagedSource`, `UnitUnsure`."""
    import h5py

    with h5py.File(path, "r") as file:
        stamps = file["timestamp"][()].astype(np.float64).reshape(-1)
        t = len(stamps)
        a = {f"{g}/{n}": _time_first(file[f"{g}/{n}"][()], t, f"{g}/{n}")
             for g in ("state", "action") for n in ("hand", "pose", "robot")}  # fmt: skip
    t_ns = _nanoseconds(stamps)
    joints, fingers = a["state/robot"].shape[1], a["state/hand"].shape[1]
    if joints not in _ROBOTS or fingers not in (12, 24):
        raise DamagedSource(
            f"{path.name} has {joints} joints and {fingers} hand numbers", hint="29/32 and 12/24"
        )
    names = (*(f"robot_{i:02d}" for i in range(joints)),
             *(f"{s}_hand_{i:02d}" for s in ("left", "right") for i in range(fingers // 2)))  # fmt: skip
    columns: dict[str, np.ndarray] = {}
    unknown = ["joint names and zero positions", "frame of the link poses"]
    for group in ("state", "action"):
        T, layout = link_poses(a[f"{group}/pose"])
        columns[f"{group}.pose_raw"] = a[f"{group}/pose"]
        if T is None:
            unknown.append(f"{group} link poses ({layout})")
        else:
            columns |= {f"{group}.T_base_{link}": T[:, i] for i, link in enumerate(LINKS)}
    video = path.with_suffix("") / "top" / "rgb.mp4"
    yield RobotEpisode(
        episode_id=path.stem,
        robot_type=_ROBOTS[joints],
        t_ns=t_ns,
        fps_hz=rate_of(t_ns) or 0.0,
        state_names=names,
        state=np.concatenate([a["state/robot"], a["state/hand"]], 1),
        action_names=names,
        action=np.concatenate([a["action/robot"], a["action/hand"]], 1),
        provenance=Provenance(
            format="actionnet", source=path.name, version="hdf5", licence=ACTIONNET, unknown=tuple(unknown),
            translated=("time axis first", "six numbers are two columns"),
        ),
        task=_prompt(path),
        cameras={"top": Images(str(video.relative_to(path.parent)))} if video.is_file() else {},
        columns=columns,
    )  # fmt: skip


def link_poses(pose: np.ndarray) -> tuple[np.ndarray | None, str]:
    """`T_base_link` [t 3 4 4] and the layout found; None and why where it cannot be told."""
    if pose.shape[1] != 9 * len(LINKS):
        return None, f"{pose.shape[1]} numbers where the README says 27"
    nine = pose.reshape(len(pose), 3, 9)
    found = []
    for layout, six, three in (
        ("rotation first", slice(0, 6), slice(6, 9)),
        ("position first", slice(3, 9), slice(0, 3)),
    ):
        for flattening in ("cols", "interleaved"):
            try:
                found.append((make_T(matrix_from_rot6d(nine[..., six], flattening), nine[..., three]),
                              f"{layout}, {flattening}"))  # fmt: skip
            except DamagedSource:
                continue
    if len(found) == 1:
        return found[0]
    return None, "no layout is orthonormal" if not found else "several layouts fit: " + "; ".join(
        n for _, n in found
    )


def _time_first(values: np.ndarray, t: int, name: str) -> np.ndarray:
    axes = [i for i in (0, 1) if values.ndim == 2 and values.shape[i] == t]
    if len(axes) != 1:
        raise DamagedSource(f"{name} has shape {values.shape}", hint=f"exactly one axis of {t} timestamps")
    return np.ascontiguousarray(values if axes[0] == 0 else values.T, dtype=np.float64)


def _nanoseconds(stamps: np.ndarray) -> np.ndarray:
    step = float(np.median(np.diff(stamps))) if len(stamps) > 1 else 0.0
    if stamps[0] > 1e14 and step > 1e5:
        scale = 1.0
    elif 1e-4 < step < 10 and stamps[0] < 1e11:
        scale = 1e9
    else:
        raise UnitUnsure(
            f"timestamps start at {stamps[0]:.6g} with steps of {step:.3g}", hint="seconds or ns"
        )
    return np.rint((stamps - stamps[0]) * scale).astype(np.int64)


def _prompt(path: Path) -> str:
    file = next((p for p in path.parent.iterdir() if p.name.lower() == "metadata.json"), None)
    if file is None:
        return ""
    content: Any = json.loads(file.read_text(encoding="utf-8"))
    rows = (
        content if isinstance(content, list) else list(content.values()) if isinstance(content, dict) else []
    )
    flat = [r for row in rows for r in (row if isinstance(row, list) else [row])]
    return next((str(r["prompt"]) for r in flat if isinstance(r, dict) and r.get("id") == path.stem), "")
