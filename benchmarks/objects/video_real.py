"""Real clips at their own rate and size against the same clips decimated and scaled: do the states agree?"""

from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from objects.video_runs import FilmRun, run_film

from reenact.scene import InteractionState, MaskLabel, Scene
from reenact.video.source import open_video
from reenact.video.writer import VideoWriter

REAL = {
    "sam2_cups": ("exo/sam2_cups", (("whole", 1, 1.0), ("half rate", 2, 1.0), ("640x360", 1, 0.0)), 6.0),
    "dexycb_pitcher": ("exo/dexycb_pitcher", (("whole", 1, 1.0), ("half size", 1, 0.5)), 6.0),
}
"""Folder under data/; name, every n-th frame, scale (0: 640 pixels across) of each filming; seconds used."""
BOXES = {
    "sam2_cups": (
        (0.204, 0.0, 0.348, 0.278, "left cup"),
        (0.446, 0.404, 0.576, 0.756, "middle cup"),
        (0.648, 0.407, 0.780, 0.756, "right cup"),
    ),
}
"""Boxes drawn by hand in the first frame, shares of the picture's width and height."""
SAME = 0.3
"""Mean overlap of outlines from which two found things are the same."""


def real_agreement(name: str, data: Path, cache: Path) -> list[str]:
    """Lines of a table: each pair of filmings."""
    folder, filmings, seconds = REAL[name]
    source = data / folder / "video.mp4"
    if not source.is_file():
        return [f"{name}: not there ({source})"]
    videos = {}
    for label, every, scale in filmings:
        target = cache / "real" / f"{name}-{label.replace(' ', '_')}.mp4"
        videos[label] = _refilmed(source, target, every, scale, seconds)
    runs = {label: run_film(cache, video, video.stem, "real", []) for label, video in videos.items()}
    rows = _agreement(f"{name}, nothing given", runs)
    if name in BOXES:
        runs = {label: run_film(cache, v, v.stem, "boxes", _boxed(v, name)) for label, v in videos.items()}
        rows += _agreement(f"{name}, boxes given in the first frame", runs)
    return rows


def _boxed(video: Path, name: str) -> list[str]:
    info = open_video(video).info
    size = np.array([info.width_px, info.height_px] * 2)
    return [
        word
        for *box, label in BOXES[name]
        for word in ("--object-box", f"0,{','.join(f'{v:.1f}' for v in np.array(box) * size)},{label}")
    ]


def _agreement(title: str, runs: dict[str, FilmRun]) -> list[str]:
    rows = [f"\n### {title}\n"]
    for label, run in runs.items():
        rows.append(f"- {label}: {run.failure or words(run)}")
    rows += [
        "",
        "| filmings | things in both | instants | same state | known in both | same among those |",
        "|---|---|---|---|---|---|",
    ]
    for a, b in combinations(runs, 2):
        if not runs[a].failure and not runs[b].failure:
            rows.append(f"| {a} and {b} | {compared(runs[a], runs[b])} |")
    return rows


def words(run: FilmRun) -> str:
    """What was found, and the share of each state."""
    scene = run.scene
    if scene.states is None or scene.found is None:
        return "nothing placed"
    out = []
    for k, name in enumerate(scene.found.names):
        said = np.where(scene.states.valid[:, k], scene.states.state[:, k], 0)
        shares = [f"{s.name.lower()} {np.mean(said == s):.2f}" for s in InteractionState if (said == s).any()]
        out.append(f"{name} ({', '.join(shares)})")
    return "; ".join(out)


def _refilmed(source: Path, target: Path, every: int, scale: float, seconds: float) -> Path:
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    video = open_video(source)
    t_ns = video.frame_t_ns[video.frame_t_ns < seconds * 1e9][::every]
    width, height = video.info.width_px, video.info.height_px
    scale = scale or 640 / width
    size = tuple(int(round(v * scale / 2) * 2) for v in (width, height))
    beside = target.with_suffix(".part.mp4")
    with VideoWriter(beside, *size, 1e9 / float(np.median(np.diff(t_ns))), crf=16) as writer:
        for _, rgb in video.frames(None, t_ns):
            writer.write(
                rgb if rgb.shape[1::-1] == size else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
            )
    shutil.move(beside, target)
    return target


def compared(a: FilmRun, b: FilmRun) -> str:
    """Agreement over the things that both filmings found, at the instants that both have."""
    x, y = a.scene, b.scene
    i = np.arange(len(x.clip.t_ns))
    j = np.searchsorted(y.clip.t_ns, x.clip.t_ns - 4_000_000)
    near = (j < len(y.clip.t_ns)) & (
        np.abs(y.clip.t_ns[np.minimum(j, len(y.clip.t_ns) - 1)] - x.clip.t_ns) < 4e6
    )
    i, j = i[near], j[near]
    pairs = _same_things(a, b, x, y, i, j)
    sums = np.zeros(4, int)
    for k, m in pairs:
        p, q = _said(x, k)[i], _said(y, m)[j]
        both = (p != 0) & (q != 0)
        sums += (len(p), int((p == q).sum()), int(both.sum()), int((p == q)[both].sum()))
    n, same, both, known = sums.tolist()
    counts = f"{len(pairs)} of {len(x.masks.object_ids)} and {len(y.masks.object_ids)}"
    return f"{counts} | {n} | {same / max(n, 1):.3f} | {both / max(n, 1):.3f} | {known / max(both, 1):.3f}"


def _said(scene: Scene, k: int) -> np.ndarray:
    if scene.states is None:
        return np.zeros(len(scene.clip.t_ns), np.uint8)
    return np.where(scene.states.valid[:, k], scene.states.state[:, k], 0)


def _same_things(
    a: FilmRun, b: FilmRun, x: Scene, y: Scene, i: np.ndarray, j: np.ndarray
) -> list[tuple[int, int]]:
    """Things whose outlines overlap, best first, each once."""
    overlap = np.zeros((len(x.masks.object_ids), len(y.masks.object_ids)))
    some = np.unique(np.linspace(0, len(i) - 1, 24).astype(int))
    for n in some.tolist():
        p, q = a.labels[int(i[n])], b.labels[int(j[n])]
        q = cv2.resize(q, p.shape[::-1], interpolation=cv2.INTER_NEAREST)
        for k in range(overlap.shape[0]):
            for m in range(overlap.shape[1]):
                one, two = p == MaskLabel.FIRST_OBJECT + k, q == MaskLabel.FIRST_OBJECT + m
                overlap[k, m] += (one & two).sum() / max((one | two).sum(), 1) / len(some)
    pairs = []
    while overlap.size and overlap.max() > SAME:
        k, m = (int(v) for v in np.unravel_index(overlap.argmax(), overlap.shape))
        pairs.append((k, m))
        overlap[k], overlap[:, m] = -1, -1
    return pairs
