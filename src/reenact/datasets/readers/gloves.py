"""Glove + tracker recordings in the manner of METIS 3.1: 25 keypoints per hand, a tracker per wrist and one on the head.

Layout (ours; METIS publishes none), one folder:
  session.json            {"format": "reenact_gloves", "version": 1, "up": "z" | "y" | "unknown", "task", "spans",
                           "task_start_s" (calibration lies before; left out: all is task),
                           "camera": {fx, fy, cx, cy, width_px, height_px}, "video", and optionally mounts
                           "T_tracker_camera", "T_tracker_wrist_left", "T_tracker_wrist_right" (4x4)}
  <side>_glove.csv        t_s, then k00_x_m ... k24_z_m (or _mm): wrist, thumb 4, per finger metacarpal base, MCP, PIP,
                          DIP, tip; in the glove's own wrist frame
  <side>_tracker.csv, head_tracker.csv    t_s, x_m, y_m, z_m and four quaternion columns named qw qx qy qz, any order
  calibration_board.csv   same columns: the still board in the camera, at moments of the head tracker's clock
  calibration_touch_<side>.csv    t_s, finger (0 thumb .. 4 little): moments when that tip touched one fixed point
All clocks are one. Units and quaternion order come from the column names, never from position. Mounts that session.json
lacks are solved from the calibration files (see `glove_calibration`); a hand without either is left out. Everything is
resampled to 20 Hz; a gap longer than `max_gap_s` is invalid. With up unknown the world is moved to `camera0`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Images, Instruction, PoseTrack, Provenance
from reenact.datasets.readers.errors import DamagedSource, UnitUnsure
from reenact.datasets.readers.frames import T_ZUP_YUP, rigid, transform_from_quat
from reenact.datasets.readers.glove_calibration import Mount, solve_hand_mount, solve_head_camera
from reenact.datasets.readers.licences import GLOVES
from reenact.datasets.readers.orders import MANUS_TO_OPENPOSE, reorder
from reenact.datasets.readers.tracks import camera_track, hand_tracks
from reenact.geometry.timegrid import TimeGrid, resample_linear, resample_rotations, resample_valid
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import SIDES, TIPS

SIGMA = 0.005


@dataclass(frozen=True)
class GloveConfig:
    """Time grid."""

    rate_hz: float = 20.0
    """METIS 3.1."""
    max_gap_s: float = 0.15
    """Three lost samples at 20 Hz."""


def sniff(path: Path) -> bool:
    """A folder whose session.json says so."""
    file = path / "session.json"
    return file.is_file() and '"reenact_gloves"' in file.read_text(encoding="utf-8", errors="replace")


def read(path: Path, config: GloveConfig | None = None) -> Iterator[HumanEpisode]:
    """The one recording; raises `DamagedSource`, `UnitUnsure`, `CalibrationUnsure`."""
    config = config or GloveConfig()
    session = json.loads((path / "session.json").read_text(encoding="utf-8"))
    if session.get("version") != 1 or session.get("up") not in ("z", "y", "unknown"):
        raise DamagedSource(f"session.json: version {session.get('version')}, up {session.get('up')!r}")
    head_t, T_head = _poses(path / "head_tracker.csv")
    start = max(int(head_t[0]), round(float(session.get("task_start_s", 0.0)) * 1e9))
    if start >= head_t[-1]:
        raise DamagedSource(f"task_start_s {session['task_start_s']} is after the last head pose")
    grid = TimeGrid.uniform(start, int(head_t[-1]) + 1, config.rate_hz).t_ns
    gap = round(config.max_gap_s * 1e9)
    T_tracker, head_seen = _resampled(head_t, T_head, grid, gap)
    camera_mount = _camera_mount(path, session, head_t, T_head)
    T_ours, frame = _to_ours(session["up"], T_tracker[0] @ camera_mount.T_tracker_part)
    joints, valid, errors = (
        np.zeros((len(grid), 2, 21, 3)),
        np.zeros((len(grid), 2), bool),
        [camera_mount.error],
    )
    for s, side in enumerate(SIDES):
        if (path / f"{side}_glove.csv").is_file():
            points, valid[:, s], error = _hand(path, session, side, grid, gap)
            joints[:, s] = apply(T_ours, points)
            errors.append(error)
    lens = session["camera"]
    yield HumanEpisode(
        episode_id=path.name,
        t_ns=grid - grid[0],
        time_source="recorded",
        fps_hz=config.rate_hz,
        world_frame=frame,
        provenance=Provenance(
            format="gloves", source=path.name, version="1", licence=GLOVES, joint_order="25 glove keypoints",
            fingertips="glove's tip nodes",
            translated=(f"tracker world (up {session['up']}) to {frame}", "mounts solved or given",
                        f"resampled to {config.rate_hz:g} Hz", "four metacarpal bases left out"),
            unknown=("objects",),
        ),
        task=str(session.get("task", "")),
        instructions=tuple(Instruction(s["text"], s["first"], s["end"]) for s in session.get("spans", ())),
        camera=camera_track(T_ours @ T_tracker @ camera_mount.T_tracker_part, model="pinhole",
                            params=[lens[k] for k in ("fx", "fy", "cx", "cy")], width_px=lens["width_px"],
                            height_px=lens["height_px"], world_frame=frame, truth=False, valid=head_seen),
        hands=hand_tracks(joints, valid, world_frame=frame, truth=False, sigma=SIGMA),
        head=PoseTrack(frame="head tracker", T_world_frame=T_ours @ T_tracker, valid=head_seen),
        images=(Images(session["video"], lens["width_px"], lens["height_px"]),) if session.get("video") else (),
        extras={"mount_error_m": np.array(errors)},
    )  # fmt: skip


def _to_ours(up: str, T_world_camera0: np.ndarray) -> tuple[np.ndarray, str]:
    if up == "unknown":
        return inverse(T_world_camera0), "camera0"
    return (np.eye(4) if up == "z" else T_ZUP_YUP), "world"


def _camera_mount(path: Path, session: dict[str, Any], head_t: np.ndarray, T_head: np.ndarray) -> Mount:
    if "T_tracker_camera" in session:
        return Mount(rigid(np.array(session["T_tracker_camera"])), 0.0)
    if not (path / "calibration_board.csv").is_file():
        raise DamagedSource(
            "neither T_tracker_camera nor calibration_board.csv", hint="one of them places the camera"
        )
    board_t, T_board = _poses(path / "calibration_board.csv")
    return solve_head_camera(_resampled(head_t, T_head, board_t, None)[0], T_board)


def _hand(
    path: Path, session: dict[str, Any], side: str, grid: np.ndarray, gap: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Joints in the trackers' world, validity, and the mount's error."""
    glove_t, points = _keypoints(path / f"{side}_glove.csv")
    tracker_t, T = _poses(path / f"{side}_tracker.csv")
    mount = _hand_mount(path, session, side, glove_t, points, tracker_t, T)
    T_grid, tracked = _resampled(tracker_t, T, grid, gap)
    local = resample_linear(glove_t, points, grid)
    sampled = resample_valid(glove_t, np.ones(len(glove_t), bool), grid, gap)
    return apply(T_grid @ mount.T_tracker_part, local), tracked & sampled, mount.error


def _hand_mount(
    path: Path, session: dict[str, Any], side: str, glove_t: np.ndarray, points: np.ndarray,
    tracker_t: np.ndarray, T: np.ndarray,
) -> Mount:  # fmt: skip
    given = session.get(f"T_tracker_wrist_{side}")
    if given is not None:
        return Mount(rigid(np.array(given)), 0.0)
    file = path / f"calibration_touch_{side}.csv"
    if not file.is_file():
        raise DamagedSource(f"the {side} glove has neither T_tracker_wrist_{side} nor {file.name}")
    names, rows = _table(file)
    if names != ["t_s", "finger"]:
        raise DamagedSource(f"{file.name} has columns {names}", hint="t_s, finger")
    t_ns, fingers = np.rint(rows[:, 0] * 1e9).astype(np.int64), rows[:, 1].astype(int)
    tips = resample_linear(glove_t, points, t_ns)[np.arange(len(t_ns)), np.array(TIPS)[fingers]]
    return solve_hand_mount(_resampled(tracker_t, T, t_ns, None)[0], tips)


def _resampled(
    t_ns: np.ndarray, T: np.ndarray, to_ns: np.ndarray, gap: int | None
) -> tuple[np.ndarray, np.ndarray]:
    R = resample_rotations(t_ns, T[:, :3, :3], to_ns)
    valid = resample_valid(t_ns, np.ones(len(t_ns), bool), to_ns, gap)
    return make_T(R, resample_linear(t_ns, T[:, :3, 3], to_ns)), valid


def _poses(path: Path) -> tuple[np.ndarray, np.ndarray]:
    names, rows = _table(path)
    wanted = ["x_m", "y_m", "z_m", "qw", "qx", "qy", "qz"]
    if sorted(names) != sorted(["t_s", *wanted]):
        raise DamagedSource(f"{path.name} has columns {names}", hint=f"t_s, {', '.join(wanted)}")
    column = {n: rows[:, i] for i, n in enumerate(names)}
    numbers = np.stack([column[n] for n in wanted], 1)
    return _rising(column["t_s"], path), transform_from_quat(numbers[:, :3], numbers[:, 3:], "wxyz")


def _keypoints(path: Path) -> tuple[np.ndarray, np.ndarray]:
    names, rows = _table(path)
    for unit, scale in (("m", 1.0), ("mm", 1e-3)):
        wanted = [f"k{i:02d}_{a}_{unit}" for i in range(25) for a in "xyz"]
        if names == ["t_s", *wanted]:
            points, _ = reorder(rows[:, 1:].reshape(-1, 25, 3) * scale, MANUS_TO_OPENPOSE, 25)
            return _rising(rows[:, 0], path), points
    raise UnitUnsure(
        f"{path.name} does not name its unit", hint="columns k00_x_m or k00_x_mm, 25 points in order"
    )


def _rising(t_s: np.ndarray, path: Path) -> np.ndarray:
    t_ns = np.rint(t_s * 1e9).astype(np.int64)
    if (np.diff(t_ns) <= 0).any():
        raise DamagedSource(f"times of {path.name} do not rise strictly")
    return t_ns


def _table(path: Path) -> tuple[list[str], np.ndarray]:
    if not path.is_file():
        raise DamagedSource(f"{path.name} is missing")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    try:
        return rows[0], np.array(rows[1:], np.float64).reshape(-1, len(rows[0]))
    except (ValueError, IndexError) as error:
        raise DamagedSource(f"{path.name} is not a table of numbers: {error}") from error
