"""Object shapes and poses as perceived frame by frame (before refinement) against the exact truth of toy clips, and on
the basketball of video_to_data.

Truth masks with ragged edges, surface points with 0.7 px noise, and four kinds of evidence:
  rgbd        depth with 1 % noise and a scale 2 % off; true meshes
  rgbd-rough  3 % noise, each frame's scale off by 2 %; true meshes
  outline     no depth; true meshes; table known to 1 cm; hands with 5 % scale error
  default     no depth, no meshes: shapes fitted, table from the hands (scale 5 % off)
Printed per activity for the things that the hands move: share of frames with a pose, error of the middle of the object
and of its turn (turns that cannot be seen left out; for fitted shapes the turn since the first frame), shares of
middles and turns within twice the stated sigma, and for fitted shapes the error of the size.

    python benchmarks/object_pose.py --clips FOLDER [--kinds rgbd,outline] [--seed 4] [--shared PATH]

Rendered clips stay in FOLDER and are used again.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import least_squares

from reenact.datasets.readers.bundlesdf import BundleSdfConfig, read
from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import apply, inverse
from reenact.perception.depth.files import DepthFilesConfig, DepthFolder
from reenact.perception.depth.truth import TruthDepth, TruthDepthConfig
from reenact.perception.pose.all_objects import PlacedObjects, place_objects
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.model import sample_surface
from reenact.perception.pose.sightings import ClipEvidence, ClipSightings
from reenact.perception.pose.symmetry import find_symmetry, turn_between
from reenact.perception.shape.contract import ShapeEstimate
from reenact.perception.shape.fit import PrimitiveFit
from reenact.refine.calibration.support import SupportConfig
from reenact.scene import (
    FoundObjects,
    HandTracks,
    MaskLabel,
    MaskTracks,
    ObjectTracks,
    PointTracks,
    SupportPlane,
)
from reenact.stages.support import find_support
from reenact.toy.activities.catalogue import ACTIVITIES
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig

TABLE = 0.74
DEPTH = {
    "rgbd": TruthDepthConfig(noise=0.01, bias=0.02),
    "rgbd-rough": TruthDepthConfig(noise=0.03, frame_scale=0.02),
}
KINDS = ("rgbd", "rgbd-rough", "outline", "default")


@dataclass(frozen=True)
class Row:
    """One object of one clip."""

    activity: str
    name: str
    valid: float
    shift: np.ndarray
    """Errors of the middle (m), frames with a pose."""
    turn: np.ndarray
    """Errors of the turn (rad)."""
    within: float
    turn_within: float
    """The same of turns."""
    size: float
    """Largest relative error of the extents; NaN for true meshes."""
    seconds: float
    """Per frame and object."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--activities", default=",".join(ACTIVITIES))
    parser.add_argument("--seed", type=int, default=3, help="of the toy clips")
    parser.add_argument("--shared", type=Path)
    args = parser.parse_args()
    for kind in [k for k in args.kinds.split(",") if k]:
        print(f"\n### {kind}\n")
        print("| activity | object | frames with a pose | middle, cm (median / p95) | turn, deg (median / p95) | "
              "within 2 sigma (middle, turn) | size error | ms per frame |")  # fmt: skip
        print("|---|---|---|---|---|---|---|---|")
        rows = [
            row
            for activity in args.activities.split(",")
            for row in measure(args.clips, args.seed, activity, kind)
        ]
        for row in [*rows, total(rows)]:
            print(as_line(row), flush=True)
    if args.shared is not None:
        print(basketball(args.shared / "data" / "gt"))


def measure(clips: Path, seed: int, activity: str, kind: str) -> list[Row]:
    clip = toy_clip(clips, activity, seed)
    objects = clip.scene.objects
    assert objects is not None
    travel = np.linalg.norm(np.ptp(objects.T_world_object[:, :, :3, 3], axis=0), axis=1)
    moved = [int(i) for i in np.flatnonzero(travel > 0.02)]
    truth = chosen(objects, moved)
    evidence = evidence_of(clip, moved, kind)
    given = [true_shape(truth, i) if kind != "default" else None for i in range(len(moved))]
    start = time.perf_counter()
    placed = place_objects(found_of(truth), evidence, given)
    seconds = (time.perf_counter() - start) / max(len(moved) * len(evidence.t_seconds), 1)
    return [compare(activity, i, truth, placed, kind == "default", seconds) for i in range(len(moved))]


def toy_clip(folder: Path, activity: str, seed: int = 3, view: str = "exo") -> ToyClip:
    """Made once, in FOLDER/VIEW-SEED/ACTIVITY."""
    path = folder / f"{view}-{seed}" / activity
    config = ToyConfig(activity=activity, seed=seed, view=view, fps_hz=15.0, duration_s=4.0, width_px=480,
                       height_px=360, samples=0, shadows=False)  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    return ToyClip(path) if path.is_dir() else make_clip(config, path)


def evidence_of(clip: ToyClip, moved: list[int], kind: str) -> ClipEvidence:
    scene, t = clip.scene, len(clip.scene.clip.t_ns)
    assert scene.hands is not None
    assert scene.objects is not None
    labels = [ragged(relabelled(clip.mask(k), moved), k) for k in range(t)]
    count = len(moved)
    masks = MaskTracks(
        object_ids=tuple(scene.objects.object_ids[i] for i in moved), valid=np.ones((t, count), bool),
        confidence=np.ones((t, count)), source=np.ones((t, count), np.uint8), area_px=np.ones((t, count)),
        occluded_share=np.zeros((t, count)), width_px=480, height_px=360, backend="truth", licence="none",
    )  # fmt: skip
    points = surface_points(clip, moved)
    depth = None
    if kind in DEPTH:
        noisy = TruthDepth(clip.depth, t, DEPTH[kind])

        def depth(frame: int) -> tuple[np.ndarray, float]:
            image = noisy.frame(frame)
            return image.values, image.sigma_relative

    hands = (
        scene.hands if kind in DEPTH else with_scale_error(scene.hands, scene.camera.scene_T_camera(), 1.05)
    )
    evidence = ClipEvidence(
        scene.camera, scene.clip.t_seconds, masks, lambda k: labels[k], depth, points, hands, None
    )
    support = find_support(evidence, SupportConfig())[0]
    if kind == "outline":
        support = SupportPlane(
            valid=True, normal_world=np.array([0.0, 0, 1]), offset=TABLE + 0.01, sigma_offset=0.01, sigma_normal=0.01,
            confidence=1.0, origin="user",
        )  # fmt: skip
    return dataclasses.replace(evidence, support=support)


def surface_points(clip: ToyClip, moved: list[int], each: int = 30, sigma_px: float = 0.7) -> PointTracks:
    """Points all over each object, seen where nothing hides them, with pixel noise; no depth."""
    scene, rng = clip.scene, np.random.default_rng(5)
    objects, camera, t = scene.objects, scene.camera.camera(), len(clip.scene.clip.t_ns)
    assert objects is not None
    where = np.concatenate([sample_surface(*objects.mesh(i), each, 0)[0] for i in moved])
    idx = np.repeat(np.arange(len(moved)), each)
    pixels, seen = np.zeros((t, len(idx), 2)), np.zeros((t, len(idx)), bool)
    for k in range(t):
        T = inverse(scene.camera.T_world_camera[k]) @ objects.T_world_object[k, moved][idx]
        p = np.einsum("nij,nj->ni", T[:, :3, :3], where) + T[:, :3, 3]
        pixels[k] = np.asarray(camera.project(p))
        at = np.rint(pixels[k]).astype(int)
        ok = ((at >= 0) & (at < [camera.width_px, camera.height_px])).all(1)
        u, v = np.where(ok[:, None], at, 0).T
        seen[k] = ok & (np.abs(clip.depth(k)[v, u] - p[:, 2]) < 0.003)
    pixels += rng.normal(size=pixels.shape) * sigma_px
    none = np.zeros((t, len(idx)))
    return PointTracks(
        object_idx=idx, points_px=pixels, valid=seen, confidence=seen.astype(float), source=seen.astype(np.uint8),
        points_world=np.zeros((t, len(idx), 3)), valid_world=none > 0, sigma_world=none, depth_source="none",
        backend="truth", licence="none",
    )  # fmt: skip


def relabelled(mask: np.ndarray, moved: list[int]) -> np.ndarray:
    """Moved objects in order; other things are background."""
    out = np.where(mask < MaskLabel.FIRST_OBJECT, mask, 0).astype(np.uint8)
    for new, old in enumerate(moved):
        out[mask == MaskLabel.FIRST_OBJECT + old] = MaskLabel.FIRST_OBJECT + new
    return out


def ragged(label: np.ndarray, frame: int) -> np.ndarray:
    """Edges that wander by about a pixel: a smooth random shift of where each pixel looks."""
    rng = np.random.default_rng([11, frame])
    h, w = label.shape
    shift = [cv2.GaussianBlur(rng.normal(size=(h, w)).astype(np.float32), (0, 0), 3.0) * 11 for _ in (0, 1)]
    v, u = np.mgrid[:h, :w].astype(np.float32)
    return cv2.remap(label, u + shift[0], v + shift[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def with_scale_error(hands: HandTracks, T_world_camera: np.ndarray, factor: float) -> HandTracks:
    """Hands farther from the camera by a factor, as a wrong hand length puts them."""
    local = np.asarray(apply(inverse(T_world_camera)[:, None], hands.joints_world)) * factor
    sigma = np.tile(np.array([0.005, 0.005, 0.06]), (*hands.valid.shape, 1))
    return dataclasses.replace(
        hands, joints_world=np.asarray(apply(T_world_camera[:, None], local)), sigma_camera=sigma
    )


def true_shape(truth: ObjectTracks, object_idx: int) -> ShapeEstimate:
    vertices, faces = truth.mesh(object_idx)
    symmetry = find_symmetry(sample_surface(vertices, faces, 3000, 0)[0], vertices)
    return ShapeEstimate("truth", vertices, faces, np.full(3, 1e-4), "truth", 1.0, symmetry)


def found_of(truth: ObjectTracks) -> FoundObjects:
    n = len(truth.names)
    return FoundObjects(
        object_ids=truth.object_ids, names=truth.names, roles=("manipulated",) * n,
        seed_frame=np.zeros(n, np.int64), seed_box_px=np.tile([0.0, 0, 1, 1], (n, 1)), confidence=np.ones(n),
        sources=("truth",) * n, reasons=("truth",) * n, backend="truth", licence="none",
    )  # fmt: skip


def chosen(objects: ObjectTracks, order: list[int]) -> ObjectTracks:
    meshes = [objects.mesh(i) for i in order]
    return dataclasses.replace(
        objects,
        object_ids=tuple(objects.object_ids[i] for i in order),
        names=tuple(objects.names[i] for i in order),
        T_world_object=objects.T_world_object[:, order],
        valid=objects.valid[:, order],
        confidence=objects.confidence[:, order],
        source=objects.source[:, order],
        mesh_vertices=np.concatenate([m[0] for m in meshes]),
        mesh_faces=np.concatenate([m[1] for m in meshes]),
        vertex_start=np.cumsum([0, *(len(m[0]) for m in meshes)]).astype(np.int64),
        face_start=np.cumsum([0, *(len(m[1]) for m in meshes)]).astype(np.int64),
    )


def middle(objects: ObjectTracks, object_idx: int) -> np.ndarray:
    vertices = objects.mesh(object_idx)[0]
    at = (vertices.min(0) + vertices.max(0)) / 2 if len(vertices) else np.zeros(3)
    return np.asarray(apply(objects.T_world_object[:, object_idx], at[None]))[:, 0]


def compare(
    activity: str, i: int, truth: ObjectTracks, placed: PlacedObjects, fitted: bool, seconds: float
) -> Row:
    ok = placed.objects.valid[:, i]
    if not ok.any():
        return Row(activity, truth.names[i], 0.0, np.zeros(0), np.zeros(0), np.nan, np.nan, np.nan, seconds)
    shift = np.linalg.norm(middle(placed.objects, i) - middle(truth, i), axis=1)[ok]
    spread = np.sqrt(np.trace(placed.covariance.covariance[:, i, :3, :3], axis1=1, axis2=2))[ok]
    R, R_true = placed.objects.T_world_object[ok, i, :3, :3], truth.T_world_object[ok, i, :3, :3]
    shape = true_shape(truth, i)
    size = np.nan
    if fitted:
        true_size = np.sort(np.ptp(truth.mesh(i)[0], axis=0))
        size = float(np.abs(np.sort(placed.shapes.size[i]) / true_size - 1).max())
        first = R_true[0].T @ R[0]
        R = R @ first.T
    turn = [turn_between(a, b, shape.symmetry) for a, b in zip(R, R_true, strict=True)]
    within = float((shift < 2 * spread).mean())
    turn_spread = np.sqrt(np.trace(placed.covariance.covariance[:, i, 3:, 3:], axis1=1, axis2=2))[ok]
    turn_within = float((np.array(turn) < 2 * turn_spread).mean())
    return Row(
        activity, truth.names[i], float(ok.mean()), shift, np.array(turn), within, turn_within, size, seconds
    )


def total(rows: list[Row]) -> Row:
    some = [r for r in rows if len(r.shift)]
    sizes = [r.size for r in some if np.isfinite(r.size)]
    return Row(
        "**all**", "", float(np.mean([r.valid for r in rows])), np.concatenate([r.shift for r in some]),
        np.concatenate([r.turn for r in some]), float(np.mean([r.within for r in some])),
        float(np.mean([r.turn_within for r in some])),
        float(np.median(sizes)) if sizes else np.nan, float(np.mean([r.seconds for r in rows])),
    )  # fmt: skip


def as_line(row: Row) -> str:
    if len(row.shift) == 0:
        return f"| {row.activity} | {row.name} | 0 % | - | - | - | - | {row.seconds * 1e3:.0f} |"
    shift, turn = np.percentile(row.shift * 100, [50, 95]), np.percentile(np.rad2deg(row.turn), [50, 95])
    size = f"{row.size:.0%}" if np.isfinite(row.size) else "-"
    return (
        f"| {row.activity} | {row.name} | {row.valid:.0%} | {shift[0]:.2f} / {shift[1]:.2f} | "
        f"{turn[0]:.1f} / {turn[1]:.1f} | {row.within:.0%}, {row.turn_within:.0%} | {size} | {row.seconds * 1e3:.0f} |"
    )


def basketball(gt: Path) -> str:
    """The ball of the RGB-D key frames: its diameter, and whether its centre repeats while the camera travels."""
    capture, key = gt / "v2d_basketball", gt / "v2d_bundlesdf_stage1"
    camera = next(iter(read(key, BundleSdfConfig(stereo_edex=capture / "stereo.edex")))).camera
    assert camera is not None
    t = len(camera.valid)
    folder = DepthFolder(key / "depth", np.arange(t), DepthFilesConfig(encoding="inverse_plus_one"))
    labels = [
        ((cv2.imread(str(p), 0) > 0) * 16).astype(np.uint8) for p in sorted((key / "masks").glob("*.png"))
    ]
    ones = np.ones((t, 1))
    masks = MaskTracks(
        object_ids=("ball",), valid=ones > 0, confidence=ones, source=ones.astype(np.uint8), area_px=ones,
        occluded_share=0 * ones, width_px=960, height_px=600, backend="published", licence="Apache-2.0",
    )  # fmt: skip

    def depth(frame: int) -> tuple[np.ndarray, float] | None:
        image = folder.frame(frame)
        return None if image is None else (image.values, image.sigma_relative)

    evidence = ClipEvidence(camera, np.arange(t) / 3.0, masks, lambda k: labels[k], depth)
    sightings = ClipSightings(evidence, 0, PoseConfig())
    fit = PrimitiveFit(camera.camera())
    fitted = [fit.fit(sightings[k], "sphere") for k in range(t)]
    across = np.array([f.size.mean() for f in fitted if f is not None])
    balls = np.array([sphere(sightings[k].cloud) for k in range(t)])
    centres = np.array([apply(camera.T_world_camera[k], balls[k, None, :3])[0] for k in range(t)])
    apart = np.linalg.norm(centres - np.median(centres, axis=0), axis=1) * 1e3
    ids = FoundObjects(
        object_ids=("ball",), names=("ball",), roles=("target",), seed_frame=np.zeros(1, np.int64),
        seed_box_px=np.zeros((1, 4)), confidence=np.ones(1), sources=("truth",), reasons=("given",), backend="", licence="",
    )  # fmt: skip
    placed = place_objects(ids, evidence, [None])
    ok = placed.objects.valid[:, 0]
    centre = placed.objects.T_world_object[ok, 0, :3, 3]
    away = np.linalg.norm(centre - np.median(centre, axis=0), axis=1) * 1e3
    angle = rotation_angle(camera.T_world_camera[:, :3, :3], camera.T_world_camera[:1, :3, :3])
    return (
        f"\n### basketball ({t} key frames, camera travels "
        f"{np.linalg.norm(np.ptp(camera.T_world_camera[:, :3, 3], axis=0)):.2f} m and turns "
        f"{np.rad2deg(angle.max()):.0f} deg)\n\n"
        f"A sphere fitted to the depth alone, frame by frame: diameter {2 * np.median(balls[:, 3]):.4f} m (median), "
        f"{2 * balls[:, 3].min():.4f} to {2 * balls[:, 3].max():.4f} m; centres within {np.median(apart):.1f} mm (median) "
        f"and {apart.max():.1f} mm (worst) of the middle one.\n"
        f"Shape role (outline and depth): median {np.median(across):.4f} m, {across.min():.4f} to {across.max():.4f} m. "
        f"Chosen shape: {placed.shapes.kinds[0]} of {np.round(placed.shapes.size[0], 4).tolist()} m "
        f"(sigma {placed.shapes.sigma_size[0].max():.4f} m).\n"
        f"Pose in {int(ok.sum())} of {t} frames; its centre lies within {np.median(away):.1f} mm (median) and "
        f"{away.max():.1f} mm (worst) of the middle one.\n"
    )


def sphere(cloud: np.ndarray) -> np.ndarray:
    """Centre and radius of a ball of which one side is seen."""

    def off(x: np.ndarray) -> np.ndarray:
        return (np.linalg.norm(cloud - x[:3], axis=1) - x[3]) / 0.005

    return least_squares(off, [*np.median(cloud, axis=0) * 1.15, 0.12], loss="soft_l1").x


if __name__ == "__main__":
    main()
