"""One small picture per reader: hands, head and objects in our frames, for docs/datasets.md.

Real files are taken from the shared data; formats without one are written from the tests' known world first.

    python benchmarks/dataset_pictures.py [--shared ../shared] [--out docs/pictures/datasets]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests import scenes
from tests.datasets.readers import test_gloves, test_own_and_folders, writers
from tests.datasets.readers.truth import World, world

from reenact.datasets.readers import HumanEpisode, RobotEpisode, open_dataset
from reenact.datasets.readers.bundlesdf import BundleSdfConfig
from reenact.datasets.readers.hoi4d import Hoi4dConfig
from reenact.datasets.readers.hot3d import Hot3dConfig
from reenact.datasets.readers.rot6d import rot6d_from_matrix
from reenact.datasets.readers.vitra import VitraConfig
from reenact.hands.joints import BONES_21, TIPS
from reenact.robots.trajectory import write_npz

COLOURS = ("#c2410c", "#1d4ed8")
"""Left orange, right blue."""
LIMIT_BYTES = 40_000


def sources(shared: Path, scratch: Path, w: World) -> dict[str, tuple[Path, Any]]:
    """Reader name to a file of its format and a config."""
    data = shared / "data"

    def made(name: str, write: Callable[..., Any], *more: Any) -> Any:
        (scratch / name).mkdir()
        return write(scratch / name, w, *more)

    clip, lens, hands = made("hoi4d", writers.hoi4d)
    scenes.waving_scene(20).save(scratch / "scene")
    write_npz(test_own_and_folders.trajectory(40), scratch / "trajectory.npz")
    return {
        "reenact_trajectory": (scratch / "trajectory.npz", None),
        "hot3d": (data / "gt/hot3d_quest3", Hot3dConfig(quest_up="y")),
        "dexycb": (data / "mocap/dexycb_crackerbox/dexycb_motion.npz", None),
        "taco": (data / "mocap/taco_010/20231104_010.npz", None),
        "tcdm": (data / "mocap/tcdm/hammer_use1.npz", None),
        "bundlesdf": (
            data / "gt/v2d_bundlesdf_stage1",
            BundleSdfConfig(data / "gt/v2d_basketball/stereo.edex"),
        ),
        "lerobot_v21": (data / "robot/g1_inspire_dev", None),
        "lerobot_v30": (test_own_and_folders.v3(scratch / "v3"), None),
        "reenact_scene": (scratch / "scene", None),
        "egodex": (made("egodex", writers.egodex), None),
        "h2o": (made("h2o", writers.h2o), None),
        "holoassist": (made("holoassist", writers.holoassist), None),
        "arctic": (made("arctic", writers.arctic), None),
        "oakink2": (made("oakink2", writers.oakink2), None),
        "ho3d": (made("ho3d", writers.ho3d), None),
        "hoi4d": (clip, Hoi4dConfig(intrinsics=lens, hands=hands)),
        "ph2d": (made("ph2d", writers.ph2d, lambda R: rot6d_from_matrix(R, "rows")), None),
        "actionnet": (made("actionnet", writers.actionnet, lambda R: rot6d_from_matrix(R, "cols")), None),
        "vitra": (made("vitra", writers.vitra), VitraConfig(fps_hz=30.0, size_px=(1280, 720))),
        "egoverse": (made("egoverse", writers.egoverse), None),
        "gloves": (test_gloves.record(scratch / "gloves", w), None),
    }


def draw_human(e: HumanEpisode, name: str, path: Path) -> None:
    """Seen from above and from the side; three moments of the hands, the ways of head and objects."""
    up = e.world_frame != "camera0"
    views = (((0, 1, 1, "above: x, y"), (0, 2, 1, "side: x, z up")) if up else
             ((0, 2, 1, "above: x right, z forward"), (2, 1, -1, "side: z forward, y down")))  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.9), dpi=75)
    for axis, (a, b, sign, title) in zip(axes, views, strict=True):

        def flat(
            points: np.ndarray, a: int = a, b: int = b, sign: int = sign
        ) -> tuple[np.ndarray, np.ndarray]:
            return points[..., a], sign * points[..., b]

        _draw_hands(axis, e, flat)
        _draw_paths(axis, e, flat)
        axis.set_title(f"{title}  [m]", fontsize=8)
        axis.set_aspect("equal", adjustable="datalim")
        axis.tick_params(labelsize=6)
    rate = f"{e.fps_hz:.3g} Hz" if e.fps_hz else "rate unknown"
    figure.suptitle(f"{name}: {len(e.t_ns)} frames, {rate}, frame {e.world_frame}", fontsize=9)
    _save(figure, path)


def _draw_hands(
    axis: Any, e: HumanEpisode, flat: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> None:
    for k, i in enumerate(np.linspace(0, len(e.t_ns) - 1, 3).astype(int)):
        for s in (0, 1):
            alpha = 0.35 + 0.3 * k
            if e.hands is not None and e.hands.valid[i, s]:
                for parent, child in BONES_21:
                    axis.plot(
                        *flat(e.hands.joints_world[i, s, [parent, child]]),
                        color=COLOURS[s],
                        lw=1,
                        alpha=alpha,
                    )
            elif e.partial is not None and e.partial.joint_valid[i, s].any():
                known = e.partial.joint_valid[i, s]
                axis.plot(
                    *flat(e.partial.joints_world[i, s, known]), "o", ms=2.5, color=COLOURS[s], alpha=alpha
                )
                if known[0]:
                    for tip in TIPS:
                        axis.plot(
                            *flat(e.partial.joints_world[i, s, [0, tip]]),
                            color=COLOURS[s],
                            lw=0.6,
                            alpha=alpha,
                        )


def _draw_paths(
    axis: Any, e: HumanEpisode, flat: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> None:
    head = e.camera if e.camera is not None else e.head
    if head is not None:
        T = head.T_world_camera if e.camera is not None else e.head.T_world_frame  # type: ignore[union-attr]
        axis.plot(*flat(T[head.valid][:, :3, 3]), color="#111827", lw=1.2)
        first = T[head.valid][0]
        for k, colour in enumerate(("#dc2626", "#16a34a", "#2563eb")):
            axis.plot(
                *flat(np.stack([first[:3, 3], first[:3, 3] + 0.08 * first[:3, k]])), color=colour, lw=1.5
            )
    if e.objects is None:
        return
    for o in range(len(e.objects.object_ids)):
        seen = e.objects.valid[:, o]
        axis.plot(*flat(e.objects.T_world_object[seen, o, :3, 3]), ".-", color="#15803d", lw=0.8, ms=2)
        vertices, _ = e.objects.mesh(o)
        if len(vertices):
            T = e.objects.T_world_object[seen, o][0]
            some = vertices[:: max(1, len(vertices) // 300)]
            axis.plot(*flat(some @ T[:3, :3].T + T[:3, 3]), ".", color="#86efac", ms=1)


def draw_robot(e: RobotEpisode, name: str, path: Path) -> None:
    """State (lines) and action (dots) of some joints over time, and link paths where the source has them."""
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.9), dpi=75)
    t = e.t_ns * 1e-9 if e.fps_hz else np.arange(len(e.t_ns))
    for axis, half in zip(axes, np.array_split(np.arange(e.state.shape[1]), 2), strict=True):
        for i in half[: min(6, len(half))]:
            (line,) = axis.plot(t, e.state[:, i], lw=0.9, label=e.state_names[i][:18])
            if e.action is not None and i < e.action.shape[1]:
                axis.plot(t[::4], e.action[::4, i], ".", ms=1.5, color=line.get_color())
        axis.legend(fontsize=5, loc="best")
        axis.tick_params(labelsize=6)
    figure.suptitle(f"{name}: {e.robot_type}, {len(t)} frames, lines state, dots action", fontsize=9)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, pil_kwargs={"optimize": True})
    plt.close(figure)
    from PIL import Image

    with Image.open(path) as picture:  # 64 colours are plenty for lines
        picture.convert("RGB").quantize(64).save(path, optimize=True)
    assert path.stat().st_size < LIMIT_BYTES, f"{path} has {path.stat().st_size} bytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=root.parent / "shared")
    parser.add_argument("--out", type=Path, default=root / "docs/pictures/datasets")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, (path, config) in sources(options.shared, Path(scratch), world()).items():
            episode = next(iter(open_dataset(path, name, config)))
            draw = draw_human if isinstance(episode, HumanEpisode) else draw_robot
            draw(episode, name, options.out / f"{name}.png")  # type: ignore[operator]
            print(
                f"{name:16s} {len(episode.t_ns):5d} frames  {(options.out / f'{name}.png').stat().st_size:6d} bytes"
            )


if __name__ == "__main__":
    main()
