"""Rendered toy clips for the end-to-end run, at several rates and sizes, and what a careful user would say of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reenact.perception.discover.truth import true_roles
from reenact.perception.masks.seed import box_of
from reenact.scene import MaskLabel
from reenact.toy.activities.catalogue import write_script
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig

SHORTEST, LONGEST = 4.0, 6.0
"""Scripts are played faster or slower to last between these (s)."""
LOOKS = 12
"""Instants among which the user chooses the frame that shows an object best."""
SIZES = {"360p": (640, 360), "480p": (640, 480), "720p": (1280, 720)}


@dataclass(frozen=True)
class Variant:
    """One way of filming a scene."""

    fps_hz: float
    size: str

    def __str__(self) -> str:
        return f"{self.fps_hz:g}-{self.size}"


def film(cache: Path, activity: str, seed: int, motion: str, variant: Variant) -> ToyClip:
    """The clip from the cache, made when it is not there."""
    folder = cache / "clips" / f"{activity}-{seed}-{motion}-{variant}"
    if (folder / "config.json").is_file():
        return ToyClip(folder)
    width, height = SIZES[variant.size]
    config = ToyConfig(
        activity=activity, seed=seed, camera_motion=motion, fps_hz=variant.fps_hz, width_px=width, height_px=height,
        samples=2, duration_s=_seconds(cache, activity, seed),
    )  # fmt: skip
    return make_clip(config, folder)


def _seconds(cache: Path, activity: str, seed: int) -> float:
    """A whole number of frames at 15 per second, so that every rate films the same stretch."""
    note = cache / "clips" / f"{activity}-{seed}.json"
    if not note.is_file():
        natural = write_script(ToyConfig(activity=activity, seed=seed)).duration
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(round(float(np.clip(natural, SHORTEST, LONGEST)) * 15) / 15))
    return float(json.loads(note.read_text()))


def watched(clip: ToyClip) -> list[int]:
    """The true objects that are moved or acted upon."""
    roles = true_roles(clip.scene, 0.05)
    return [o for o, role in enumerate(roles) if role != "unknown"]


def moved(clip: ToyClip) -> list[int]:
    """The true objects that a hand moves or holds."""
    roles = true_roles(clip.scene, 0.05)
    return [o for o, role in enumerate(roles) if role == "manipulated"]


def told(clip: ToyClip, folder: Path) -> list[str]:
    """Options of `reenact run` of a careful user: lens, a box per object in the frame that shows it best, and meshes."""
    folder.mkdir(parents=True, exist_ok=True)
    camera, objects = clip.scene.camera, clip.scene.objects
    assert objects is not None
    words = ["--intrinsics", *(f"{v:.4f}" for v in camera.params[:4])]
    for o in watched(clip):
        frame, box = _best_view(clip, o)
        if frame < 0:
            continue
        name = f"{objects.names[o]} {o}"
        mesh = folder / f"object_{o}.obj"
        _write_obj(mesh, *objects.mesh(o))
        words += ["--object-box", f"{frame},{','.join(f'{v:.1f}' for v in box)},{name}"]
        words += ["--object-mesh", f"{name}={mesh}"]
    return words


def _best_view(clip: ToyClip, o: int) -> tuple[int, np.ndarray]:
    """The first of some instants, the same at every rate, that shows nearly the most of it; (-1, 0) if none does."""
    rate, count = clip.config.fps_hz, len(clip.scene.clip.t_ns)
    instants = np.unique(np.linspace(0, count / rate * 15 - 1, LOOKS).astype(int)) / 15
    best, most = (-1, np.zeros(4)), 0
    for frame in np.rint(instants * rate).astype(int).tolist():
        mask = clip.mask(frame) == MaskLabel.FIRST_OBJECT + o
        if mask.sum() > 1.1 * most and mask.sum() > 1e-4 * mask.size:
            best, most = (frame, box_of(mask)), int(mask.sum())
    return best


def _write_obj(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    path.write_text("\n".join(lines) + "\n")
