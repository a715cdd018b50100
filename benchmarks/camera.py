"""Focal length, gravity and still/moving verdicts on real clips: `python benchmarks/camera.py [--shared DIR]`.

1. gt/v2d_basketball (true focal 426.2 px of 960 x 600): focal ratio per frame and per clip.
2. gt/v2d_bundlesdf_stage1: angle between our up and the normal of the plane in the stereo depth.
3. All clips of exo/ and ego/: verdict, field of view, which gate let it pass and why.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from reenact.geometry.cameras import PinholeCamera
from reenact.perception.camera.classical import ClassicalCamera, ClassicalCameraConfig
from reenact.perception.camera.contract import Frame
from reenact.perception.camera.gravity import gravity_from_lines
from reenact.perception.camera.ladder import Ladder, climb
from reenact.perception.camera.lines import LinesConfig, focal_from_lines
from reenact.perception.camera.manhattan import ManhattanConfig
from reenact.perception.camera.motion import measure_motion
from reenact.perception.camera.prior import PriorConfig
from reenact.perception.camera.segments import Picture, Segments, find_segments
from reenact.perception.camera.up_vote import GravityConfig
from reenact.scene import Clip
from reenact.video.reader import VideoReader

TRUE = PinholeCamera(426.205, 426.205, 473.223, 278.402, 960, 600)
KNOWN_FOV_DEG = {"v2d_chair": 90.8, "dexycb_pitcher": 55.0, "hawor_plate": 84.5}
"""Published intrinsics; DexYCB's 640x480 cameras have about 615 px; EPIC clip by structure from motion."""


def segments_of(rgb: np.ndarray) -> Segments:
    return find_segments(Picture.of(rgb))


def ladder_of(segments: Sequence[Segments]) -> Ladder:
    return climb(segments, 960, 600, LinesConfig().ladder, 0)


def basketball(shared: Path) -> None:
    folder = shared / "data/gt/v2d_basketball/front_stereo_camera_left"
    files = sorted(folder.glob("*.jpeg"))
    stamped = [(int(f.stem), cv2.cvtColor(cv2.imread(str(f)), cv2.COLOR_BGR2RGB)) for f in files]
    verdict = measure_motion(stamped)
    print(f"basketball: {verdict.motion}, {verdict.reason}")
    pictures = [stamped[i][1] for i in np.linspace(0, len(stamped) - 1, 26).round().astype(int)]
    segments = [segments_of(p) for p in pictures]
    ratios = [
        focal_from_lines(ladder_of([s]), LinesConfig(), moving=False).focal_px / TRUE.fx for s in segments
    ]
    ratios = [r for r in ratios if r > 0]
    q25, q50, q75 = np.quantile(ratios, [0.25, 0.5, 0.75])
    print(f"  one frame at a time ({len(ratios)}): focal ratio {q50:.3f}, IQR {q25:.3f}-{q75:.3f}")
    for start in range(3):
        start_s = time.process_time()
        found = focal_from_lines(ladder_of(segments[start::3]), LinesConfig(), moving=True)
        took = time.process_time() - start_s
        off = np.array(found.centre_px) - [TRUE.cx, TRUE.cy]
        print(
            f"  {len(segments[start::3])} frames together: ratio {found.focal_px / TRUE.fx:.3f},"
            f" sigma {found.sigma:.3f}, centre off by {off[0]:.0f}, {off[1]:.0f} px,"
            f" trusted {found.trusted} ({found.reason}); {took:.2f} CPU s"
        )


def plane_normal(
    depth: np.ndarray, camera: PinholeCamera, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Normal (camera axes, pointing to the camera) of the largest plane in a depth picture, and its share."""
    v, u = np.nonzero((depth > 0.1) & (depth < 1.5))
    pick = rng.choice(len(u), min(60000, len(u)), replace=False)
    rays = np.stack(
        [(u[pick] - camera.cx) / camera.fx, (v[pick] - camera.cy) / camera.fy, np.ones(len(pick))], 1
    )
    points = rays * depth[v[pick], u[pick]][:, None]
    few = points[::20]
    best, base, most = np.zeros(3), np.zeros(3), -1
    for _ in range(1000):
        a, b, c = few[rng.choice(len(few), 3, replace=False)]
        n = np.cross(b - a, c - a)
        n /= max(float(np.linalg.norm(n)), 1e-9)
        inside = int((np.abs((few - a) @ n) < 0.01).sum())
        if inside > most:
            best, base, most = n, a, inside
    for within in (0.01, 0.006, 0.004, 0.004):
        near = points[np.abs((points - base) @ best) < within]
        base = near.mean(0)
        best = np.linalg.svd((near - base)[::5], full_matrices=False)[2][2]
    return (best if best @ base < 0 else -best), len(near) / len(points)


def gravity(shared: Path) -> None:
    folder = shared / "data/gt/v2d_bundlesdf_stage1"
    rng = np.random.default_rng(0)
    truth, segments = [], []
    for file in sorted((folder / "left").glob("*.png")):
        raw = cv2.imread(str(folder / "depth" / file.name), cv2.IMREAD_UNCHANGED).astype(np.float64)
        depth = np.where(raw > 0, 65535 / np.maximum(raw, 1) - 1, 0)
        truth.append(plane_normal(depth, TRUE, rng)[0])
        segments.append(segments_of(cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)))
    centred = PinholeCamera(TRUE.fx, TRUE.fx, 479.5, 299.5, 960, 600)
    print(f"gravity against the table plane of the stereo depth, {len(truth)} key frames:")
    found = focal_from_lines(ladder_of(segments[::2]), LinesConfig(), moving=True)
    estimated = PinholeCamera(found.focal_px, found.focal_px, *found.centre_px, 960, 600)
    for name, camera, sigma, centre_px in [
        ("lens known", TRUE, 0.005, 0.0),
        ("focal known, centre assumed", centred, 0.005, 14.4),
        ("lens from lines", estimated, found.sigma, found.centre_sigma_px),
    ]:
        alone = [
            gravity_from_lines(
                [s],
                camera,
                sigma,
                ManhattanConfig(),
                GravityConfig(),
                centre_sigma_px=centre_px,
                still=False,
                seed=0,
            )
            for s in segments
        ]
        clip = gravity_from_lines(
            segments,
            camera,
            sigma,
            ManhattanConfig(),
            GravityConfig(),
            centre_sigma_px=centre_px,
            still=False,
            seed=0,
        )
        one = [angle_deg(a.up_camera[0], t) for a, t in zip(alone, truth, strict=True)]
        many = [angle_deg(a, t) for a, t in zip(clip.up_camera, truth, strict=True)]
        believed = sum(a.trusted for a in alone)
        print(f"  {name:28s} frame alone: {spread_text(one)}, believed {believed} of {len(one)}")
        print(
            f"  {'':28s} whole clip:  {spread_text(many)}, sigma {np.rad2deg(clip.sigma):.2f} ({clip.reason})"
        )


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(a @ b, -1, 1))))


def spread_text(values: list[float]) -> str:
    return f"median {np.median(values):.2f}, p90 {np.quantile(values, 0.9):.2f}, worst {max(values):.2f} deg"


def clips(shared: Path) -> None:
    print(
        f"\n{'clip':22s} {'verdict':8s} {'h/s':>7s} {'FOV':>6s} {'known':>6s} {'source':7s} {'sigma':>5s} gravity"
    )
    for file in sorted((shared / "data").glob("e[xg]o/*/video.mp4")):
        reader = VideoReader(file)
        clip = clip_of(reader, file.parent.name)
        backend = ClassicalCamera(ClassicalCameraConfig())
        decode_s, size = [0.0], [0, 0]
        start_s = time.process_time()
        track = backend.estimate(_timed(reader.frames(max_height=540), decode_s, size), clip)
        took = time.process_time() - start_s - decode_s[0]
        d = backend.diagnostics
        fov = np.rad2deg(track.camera().horizontal_fov)
        known = KNOWN_FOV_DEG.get(clip.clip_id)
        print(
            f"{clip.clip_id:22s} {track.motion:8s} {track.motion_heights_per_s:7.4f} {fov:6.1f}"
            f" {known if known else '-':>6} {track.intrinsics_source:7s} {track.focal_sigma:5.2f}"
            f" {d['gravity']['source']} sigma {np.rad2deg(gravity_sigma(d)):.1f} deg;"
            f" {took:.1f} CPU s for {clip.duration_s:.0f} s of video"
        )
        print(f"{'':22s}   focal:   {d['intrinsics']['reason']} (FOV by lines {lines_fov(d, size):.0f})")
        print(f"{'':22s}   gravity: {d['gravity']['reason']}")
        print(f"{'':22s}   motion:  {d['motion']['reason']}")


def gravity_sigma(diagnostics: Mapping[str, Any]) -> float:
    """Radians; of the prior where lines were not believed."""
    found = diagnostics["gravity"]
    return found["sigma"] if found["source"] == "lines" else np.deg2rad(PriorConfig().gravity_sigma_deg)


def lines_fov(diagnostics: Mapping[str, Any], size: list[int]) -> float:
    """Field of view that the lines would give, believed or not."""
    focal = diagnostics["intrinsics"].get("focal_px", 0.0)
    return float(np.rad2deg(2 * np.arctan(size[1] / 2 / focal))) if focal else float("nan")


def _timed(frames: Iterator[Frame], seconds: list[float], size: list[int]) -> Iterator[Frame]:
    """The same frames; what decoding took is added up, their size noted."""
    while True:
        start_s = time.process_time()
        item = next(frames, None)
        seconds[0] += time.process_time() - start_s
        if item is None:
            return
        size[:] = item[1].shape[:2]
        yield item


def clip_of(reader: VideoReader, name: str) -> Clip:
    t_ns = np.asarray(reader.frame_t_ns)
    step = int(np.median(np.diff(t_ns)))
    height, width = next(iter(reader.frames(max_height=None)))[1].shape[:2]
    return Clip(
        clip_id=name,
        source_name=reader.path.name,
        source_sha256="",
        width_px=width,
        height_px=height,
        rotation_deg=0,
        nominal_fps_hz=1e9 / step,
        t_ns=t_ns,
        end_ns=int(t_ns[-1]) + step,
        source_frame_idx=np.arange(len(t_ns), dtype=np.int64),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    shared_dir = parser.parse_args().shared
    basketball(shared_dir)
    gravity(shared_dir)
    clips(shared_dir)
