"""A run of the product on a rendered clip against the clip's truth, and two runs of one scene against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from objects.video_runs import FilmRun

from reenact.geometry.transforms import apply, inverse
from reenact.perception.pose.model import sample_surface
from reenact.perception.pose.symmetry import find_symmetry, turn_between
from reenact.quality.objects.labels import confusion
from reenact.scene import InteractionState, MaskLabel, ObjectTracks, Scene
from reenact.toy.clip import ToyClip

FOUND, PARTLY = 0.5, 0.25
"""Mean overlap of outlines from which an object counts as found, and as partly found."""


@dataclass(frozen=True)
class ThingScore:
    """One true object in one run; arrays are empty where the run has no pose of it."""

    name: str
    is_moved: bool
    overlap: float
    """Mean J over the frames in which the outline says it is valid."""
    lost: float
    """Share of the frames that show it in which the outline is lost."""
    kind: str
    posed: float
    place: np.ndarray
    """Distance of middles (m) before the camera, frames with a pose."""
    place_raw: np.ndarray
    turn: np.ndarray
    """Angle from truth (rad), turns that cannot be seen left out; fitted shapes: since the first frame with a pose."""
    size: float
    """Largest relative error of the sorted extents; NaN without a shape or with a mesh given."""
    said: np.ndarray
    """State codes [t], 0 where unknown."""
    true: np.ndarray
    t_ns: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """[true, said]"""
        return confusion(self.said, self.true)


def score_run(clip: ToyClip, run: FilmRun, objects: list[int], moved: list[int]) -> list[ThingScore]:
    """Each true object with the run's object whose outline fits it best; an object of the run is used once."""
    scene = run.scene if (run.folder / "scene").is_dir() else None
    if scene is None or scene.masks is None or not scene.masks.object_ids:
        return [_nothing(clip, o, o in moved) for o in objects]
    which = scene.clip.source_frame_idx
    overlaps, lost = _overlaps(clip, run, scene, which)
    scores, left = {}, overlaps[objects].copy()
    while left.size and left.max() > PARTLY:
        row, k = (int(i) for i in np.unravel_index(left.argmax(), left.shape))
        scores[objects[row]] = k
        left[row], left[:, k] = -1, -1
    out = []
    for o in objects:
        if o not in scores:
            best = float(overlaps[o].max(initial=0.0))
            out.append(_nothing(clip, o, o in moved, which, best))
        else:
            k = scores[o]
            out.append(_scored(clip, scene, o, k, o in moved, overlaps[o, k], lost[o, k]))
    return out


def _nothing(
    clip: ToyClip, o: int, is_moved: bool, which: np.ndarray | None = None, overlap: float = 0.0
) -> ThingScore:
    truth = clip.scene
    idx = np.arange(len(truth.clip.t_ns)) if which is None else which
    none = np.zeros(0)
    return ThingScore(
        truth.objects.names[o], is_moved, overlap, 1.0, "-", 0.0, none, none, none, np.nan,
        np.zeros(len(idx), np.uint8), truth.states.state[idx, o], truth.clip.t_ns[idx],
    )  # fmt: skip


def _overlaps(clip: ToyClip, run: FilmRun, scene: Scene, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean J and share lost of each true object with each found one [o k]."""
    masks, labels = scene.masks, run.labels
    shape = (len(clip.scene.objects.object_ids), len(masks.object_ids))
    total, count, shown = np.zeros(shape), np.zeros(shape), np.zeros(shape[0])
    for frame, source in enumerate(which.tolist()):
        mine = labels[frame]
        true = cv2.resize(clip.mask(source), mine.shape[::-1], interpolation=cv2.INTER_NEAREST)
        for o in range(shape[0]):
            thing = true == MaskLabel.FIRST_OBJECT + o
            if thing.sum() < 1e-4 * thing.size:
                continue
            shown[o] += 1
            for k in np.flatnonzero(masks.valid[frame]).tolist():
                own = mine == MaskLabel.FIRST_OBJECT + k
                total[o, k] += (own & thing).sum() / max((own | thing).sum(), 1)
                count[o, k] += 1
    return total / np.maximum(count, 1), 1 - count / np.maximum(shown[:, None], 1)


def _scored(
    clip: ToyClip, scene: Scene, o: int, k: int, is_moved: bool, overlap: float, lost: float
) -> ThingScore:
    truth, which = clip.scene, scene.clip.source_frame_idx
    view = inverse(scene.camera.scene_T_camera())
    true = inverse(truth.camera.scene_T_camera())[which] @ truth.objects.T_world_object[which, o]
    middle = _middle(truth.objects, o)
    said = np.zeros(len(which), np.uint8)
    if scene.states is not None:
        said = np.where(scene.states.valid[:, k], scene.states.state[:, k], 0).astype(np.uint8)
    states = truth.states.state[which, o]
    at_true = apply(true, middle[None])[:, 0]
    kind = scene.shapes.kinds[k] if scene.shapes is not None else "-"
    shown = scene.objects if scene.objects is not None else scene.objects_raw
    none = np.zeros(0)
    if shown is None or not shown.valid[:, k].any():
        return ThingScore(
            truth.objects.names[o], is_moved, overlap, lost, kind, 0.0, none, none, none, np.nan, said, states,
            scene.clip.t_ns,
        )  # fmt: skip
    raw = scene.objects_raw
    T = view @ shown.T_world_object[:, k]
    ok, ok_raw = shown.valid[:, k], raw.valid[:, k]
    place = np.linalg.norm(apply(T, _middle(shown, k)[None])[:, 0] - at_true, axis=1)[ok]
    T_raw = view @ raw.T_world_object[:, k]
    place_raw = np.linalg.norm(apply(T_raw, _middle(raw, k)[None])[:, 0] - at_true, axis=1)[ok_raw]
    fitted = kind != "user_mesh"
    size = np.nan
    if fitted:
        extents = np.sort(np.ptp(truth.objects.mesh(o)[0], axis=0))
        size = float(np.abs(np.sort(scene.shapes.size[k]) / extents - 1).max())
    turn = _turns(truth.objects, o, T[ok, :3, :3], true[ok, :3, :3], fitted)
    return ThingScore(
        truth.objects.names[o], is_moved, overlap, lost, kind, float(ok.mean()), place, place_raw, turn, size, said,
        states, scene.clip.t_ns,
    )  # fmt: skip


def _middle(objects: ObjectTracks, o: int) -> np.ndarray:
    vertices = objects.mesh(o)[0]
    return (vertices.min(axis=0) + vertices.max(axis=0)) / 2 if len(vertices) else np.zeros(3)


def _turns(objects: ObjectTracks, o: int, R: np.ndarray, R_true: np.ndarray, from_first: bool) -> np.ndarray:
    vertices, faces = objects.mesh(o)
    symmetry = find_symmetry(sample_surface(vertices, faces, 3000, 0)[0], vertices)
    if from_first:
        R = R @ (R_true[0].T @ R[0]).T
    return np.array([turn_between(a, b, symmetry) for a, b in zip(R, R_true, strict=True)])


def agree(a: ThingScore, b: ThingScore) -> tuple[int, int, int, int]:
    """Matching instants: how many, how many with the same state, how many both known, how many of those the same."""
    # the two clips have their own grids; an instant matches when the times differ by less than 2 ms
    j = np.searchsorted(b.t_ns, a.t_ns - 2_000_000)
    near = (j < len(b.t_ns)) & (np.abs(b.t_ns[np.minimum(j, len(b.t_ns) - 1)] - a.t_ns) < 2_000_000)
    x, y = a.said[near], b.said[j[near]]
    both = (x != InteractionState.UNKNOWN) & (y != InteractionState.UNKNOWN)
    return len(x), int((x == y).sum()), int(both.sum()), int((x == y)[both].sum())


def sheet(path: Path, clip: ToyClip, run: FilmRun, count: int = 8) -> None:
    """Frames spread over the clip: outlines filled, boxes of the refined meshes drawn, states written (said / true)."""
    from reenact.video.source import open_video

    scene, labels = run.scene, run.labels
    frames = [rgb for _, rgb in open_video(clip.video_path).frames(360, scene.clip.t_ns)]
    tiles, camera = [], scene.camera.camera().scaled(frames[0].shape[1] / scene.camera.width_px)
    view = inverse(scene.camera.scene_T_camera())
    shown = scene.objects if scene.objects is not None else scene.objects_raw
    colours = [(0, 90, 255), (255, 220, 0), (255, 0, 255), (0, 255, 255), (255, 128, 0)]
    for f in np.unique(np.linspace(0, len(frames) - 1, count).astype(int)).tolist():
        picture = frames[f].copy()
        label = cv2.resize(labels[f], picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        for k, name in enumerate(scene.masks.object_ids):
            colour = colours[k % len(colours)]
            own = label == MaskLabel.FIRST_OBJECT + k
            picture[own] = (0.6 * picture[own] + 0.4 * np.array(colour)).astype(np.uint8)
            state = "-"
            if scene.states is not None and scene.states.valid[f, k]:
                state = InteractionState(int(scene.states.state[f, k])).name.lower()
            cv2.putText(picture, f"{name}: {state}", (4, 14 + 14 * k), 0, 0.42, colour, 1, cv2.LINE_AA)
            if shown is None or not shown.valid[f, k]:
                continue
            vertices = shown.mesh(k)[0]
            at = apply(view[f] @ shown.T_world_object[f, k], vertices)
            if (at[:, 2] < 0.02).any():
                continue
            px = np.rint(camera.project(at)).astype(int)
            hull = cv2.convexHull(px.astype(np.int32))
            cv2.polylines(picture, [hull], True, colour, 1, cv2.LINE_AA)
        for o, name in enumerate(clip.scene.objects.names):
            state = InteractionState(
                int(clip.scene.states.state[scene.clip.source_frame_idx[f], o])
            ).name.lower()
            cv2.putText(
                picture, f"true {name}: {state}", (4, 350 - 13 * o), 0, 0.38, (255, 255, 255), 1, cv2.LINE_AA
            )
        tiles.append(picture)
    rows = [np.hstack(tiles[i : i + 3]) for i in range(0, len(tiles) - len(tiles) % 3, 3)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])
