"""Write `report.html`: one file that holds the clip, hands and robots in 3D, timeline, plots, tables and unknowns.

In: a scene, the clip as a constant-rate mp4 (one frame per scene frame), robots with their trajectories, and words and
curves that others measured. Out: a page that asks for nothing from anywhere.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reenact import __version__
from reenact.hands.joints import SIDES
from reenact.records.files import atomic_file
from reenact.scene import ObjectTracks, Scene, Source
from reenact.viewer.encode import packed
from reenact.viewer.hand_payload import hands_payload, landmarks_payload
from reenact.viewer.object_payload import contacts_payload, ego_payload, objects_payload
from reenact.viewer.robot_payload import robot_payload
from reenact.viewer.strips import STATE_COLORS, STATE_WORDS, Strip, object_labels, state_strips, strip_payload

if TYPE_CHECKING:
    from reenact.robots.model import Robot
    from reenact.robots.trajectory import JointTrajectory

SCRIPTS = (
    "data.js",
    "overlay.js",
    "hands3d.js",
    "objects3d.js",
    "robot3d.js",
    "view3d.js",
    "charts.js",
    "main.js",
)
SIDE_COLORS = ("#1f77b4", "#d2691e")


@dataclass(frozen=True)
class Series:
    """One curve: values [t], drawn where mask is true."""

    name: str
    values: np.ndarray
    mask: np.ndarray
    color: str


@dataclass(frozen=True)
class Plot:
    """Curves over the clip. The upper end of the axis is found from the values."""

    title: str
    unit: str
    series: tuple[Series, ...]
    note: str = ""
    lines: tuple[tuple[str, float], ...] = ()
    """Dashed thresholds: (label, value)."""
    bottom: float = 0.0
    """Lower end of the axis."""
    least_top: float = 0.0
    """The upper end is never lower than this, so that stillness looks still."""
    robot: int | None = None
    """Shown only while this robot is chosen; None for always."""


@dataclass(frozen=True)
class Table:
    """Rows of (name, value, note)."""

    title: str
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page."""

    title: str
    subtitle: str
    scene: Scene
    video: Path
    """Constant-rate mp4 with one frame per scene frame."""
    video_fps_hz: float
    robots: Sequence[tuple[Robot, JointTrajectory]] = ()
    tiles: Sequence[tuple[str, str]] = ()
    """(value, label) in large letters."""
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    unknowns: Sequence[str] = ()
    flags: Sequence[str] = ()
    """What the stages noticed and why: doubtful scales, spurious detections, choices made."""
    strips: Sequence[Strip] = field(default=())
    """More timeline rows, below the hands' and the objects'."""


def write_report(path: Path, content: ReportContent) -> None:
    """Write the page, whole or not at all. Raises `SetupError` when the disk is full or not writable."""
    assets = files("reenact.viewer") / "assets"

    def read(name: str) -> str:
        return (assets / name).read_text(encoding="utf-8")

    parts = {
        "TITLE": html.escape(content.title),
        "VERSION": __version__,
        "CSS": read("report.css"),
        "VIDEO": "data:video/mp4;base64," + base64.b64encode(content.video.read_bytes()).decode("ascii"),
        "PAYLOAD": json.dumps(_payload(content), allow_nan=False).replace("</", "<\\/"),
        "THREE": read("three.bundle.min.js").replace("</script", "<\\/script"),
        "JS": "\n".join(read(name) for name in SCRIPTS),
    }
    pieces = read("report.html").split("@@")
    page = "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))
    with atomic_file(path) as beside:
        beside.write_text(page, encoding="utf-8")


def _payload(content: ReportContent) -> dict[str, Any]:
    scene = content.scene
    return {
        "title": content.title,
        "subtitle": content.subtitle,
        "clip": {
            "count": len(scene.clip.t_ns),
            "t": packed(scene.clip.t_seconds),
            "videoFps": content.video_fps_hz,
            "width": scene.clip.width_px,
            "height": scene.clip.height_px,
        },
        "landmarks": landmarks_payload(scene.landmarks) if scene.landmarks is not None else None,
        "hands": hands_payload(scene.hands) if scene.hands is not None else None,
        "robots": [robot_payload(robot, trajectory) for robot, trajectory in content.robots],
        **_object_parts(scene),
        "caption": _caption(content),
        "view": _view(content),
        "states": {"names": list(STATE_WORDS), "colors": list(STATE_COLORS)},
        "strips": [strip_payload(strip) for strip in _strips(content)],
        "plots": [_plot(plot) for plot in content.plots],
        "tiles": [{"value": value, "label": label} for value, label in content.tiles],
        "tables": [{"title": t.title, "rows": [list(row) for row in t.rows]} for t in content.tables],
        "unknowns": list(content.unknowns),
        "flags": list(content.flags),
    }


def _object_parts(scene: Scene) -> dict[str, Any]:
    """Objects, contacts and ego camera; None for each that the scene does not have."""
    touched = scene.contacts is not None and scene.hands is not None
    return {
        "objects": objects_payload(scene.objects, scene.camera) if scene.objects is not None else None,
        "contacts": contacts_payload(scene.contacts, scene.hands) if touched else None,  # type: ignore[arg-type]
        "ego": ego_payload(scene.ego) if scene.ego is not None else None,
    }


def _caption(content: ReportContent) -> str:
    shown = ["hands"] * (content.scene.hands is not None) + ["objects"] * (content.scene.objects is not None)
    shown += ["robot"] * bool(content.robots)
    return f"{', '.join(shown) or 'camera'} in the scene; drag to turn, wheel to zoom"


def _strips(content: ReportContent) -> list[Strip]:
    scene, own = content.scene, []
    if scene.hands is not None:
        codes = np.where(scene.hands.valid, scene.hands.source, Source.UNKNOWN)
        own = [Strip(f"{side} hand", codes[:, s]) for s, side in enumerate(SIDES)]
    if scene.objects is not None:
        own += _object_strips(scene, scene.objects)
    return [*own, *content.strips]


def _object_strips(scene: Scene, objects: ObjectTracks) -> list[Strip]:
    """States where there are any, else where each pose comes from."""
    if scene.states is not None:
        return state_strips(scene.states, objects)
    codes = np.where(objects.valid, objects.source, Source.UNKNOWN)
    return [Strip(f"{name}: pose", codes[:, k]) for k, name in enumerate(object_labels(objects))]


def _plot(plot: Plot) -> dict[str, Any]:
    shown = [s.values[s.mask] for s in plot.series if s.mask.any()]
    highest = float(np.percentile(np.concatenate(shown), 99)) if shown else 0.0
    top = max(plot.least_top, 1.15 * max([highest, *(value for _, value in plot.lines)], default=1.0))
    return {
        "title": plot.title,
        "unit": plot.unit,
        "note": plot.note,
        "robot": plot.robot,
        "top": top,
        "bottom": plot.bottom,
        "lines": [{"label": label, "value": value} for label, value in plot.lines],
        "series": [
            {"name": s.name, "color": s.color, "values": packed(s.values), "mask": packed(s.mask, "uint8")}
            for s in plot.series
        ],
    }


def _view(content: ReportContent) -> dict[str, Any]:
    """Where the 3D view looks: at the hands (and robots), from behind and above the camera."""
    scene = content.scene
    T = scene.camera.scene_T_camera()[0]
    points = [np.zeros((0, 3))]
    if scene.hands is not None and scene.hands.valid.any():
        points.append(scene.hands.joints_world[scene.hands.valid].reshape(-1, 3))
    if scene.objects is not None and scene.objects.valid.any():
        points.append(scene.objects.T_world_object[scene.objects.valid][:, :3, 3])
    for _, trajectory in content.robots:
        points.append(np.atleast_2d(np.asarray(trajectory.T_world_base).reshape(-1, 4, 4)[0, :3, 3]))
    cloud = np.concatenate(points)
    if len(cloud) == 0:
        cloud = T[None, :3, 3] + T[None, :3, 2]
    low, high = cloud.min(axis=0), cloud.max(axis=0)
    target = (low + high) / 2
    reach = max(0.9, 1.3 * float(np.linalg.norm(high - low)))
    up = np.array([0.0, 0.0, 1.0]) if scene.camera.world_frame == "world" else -T[:3, 1]
    eye = target - reach * (0.75 * T[:3, 2] - 0.55 * T[:3, 0] - 0.5 * up)
    return {
        "zUp": scene.camera.world_frame == "world",
        "target": target.tolist(),
        "eye": eye.tolist(),
        "floor": _floor(scene, float(low[2]) - 0.02),
        "frustum": _frustum(scene, T),
    }


def _floor(scene: Scene, otherwise: float) -> float:
    """Height of the grid: the support surface where it is known and level, the lowest thing otherwise."""
    support = scene.support
    if support is None or not support.valid or support.normal_world[2] < 0.95:
        return otherwise
    return support.offset / float(support.normal_world[2])


def _frustum(scene: Scene, T_scene_camera: np.ndarray, depth: float = 0.12) -> list[list[float]]:
    w, h = scene.camera.width_px, scene.camera.height_px
    corners = np.array([[0.0, 0.0], [w - 1.0, 0.0], [w - 1.0, h - 1.0], [0.0, h - 1.0]])
    rays = scene.camera.camera().unproject(corners) * depth
    points = np.concatenate([np.zeros((1, 3)), rays])
    return (points @ T_scene_camera[:3, :3].T + T_scene_camera[:3, 3]).tolist()
