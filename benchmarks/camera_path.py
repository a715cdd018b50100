"""The path of a moving camera: the product (`reenact run`, CPU default) against truth and against COLMAP's own pipeline.

    python benchmarks/camera_path.py [--seeds 31 32] [--ways told default] [--peer] [--cache DIR] [--shared ../shared]

Rendered clips (30 frames per second, 640 x 480, about 5 s): orbits and handheld shake, before, over the shoulder, ego.
  told     the lens is given      default  nothing is given
Per clip: whether the path was believed and why not; turn (rms against truth, about the mean, degrees) and the stated
sigma; place (rms, cm, after the best turn and shift, in the stated metres) over the path's true extent; metres found over
true ones and the stated sigma; up's error and sigma; error of the hands' middle in the world (median, cm), and the same as
if the camera's path were unknown (all in the first camera's axes).
--peer: pycolmap's documented pipeline (SIFT, exhaustive matching, incremental mapping, lens fixed) on five pictures a
second of the same clips: pictures placed, turn rms. With --shared also two real clips: 80 pictures at 3 Hz round a table
with a known path (v2d_basketball; tracks and mapper alone, no hands) and a fast head camera (hawor_plate; no truth).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from camera_path_real import ball_row, plate_rows

from reenact.cli.run import RunOptions, resolve
from reenact.geometry.alignment import umeyama
from reenact.geometry.rotations import rotation_angle, rotation_mean
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.scene import Scene
from reenact.stages.run import RunRequest, run_clips, whole
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig
from reenact.video.source import open_video

FILMS = (
    ("pick_place", "exo", "orbit"),
    ("pour", "exo", "orbit"),
    ("strike", "shoulder", "orbit"),
    ("push", "ego", "handheld"),
    ("pick_place", "exo", "handheld"),
)
"""Activity, view, motion."""


@dataclass(frozen=True)
class Film:
    """One clip and its truth."""

    name: str
    clip: ToyClip

    @property
    def truth(self) -> Scene:
        return Scene.load(self.clip.folder / "truth")

    @property
    def video(self) -> Path:
        return self.clip.folder / "video.mp4"


def films(cache: Path, seeds: list[int]) -> list[Film]:
    """Made when they are not in the cache."""
    made = []
    for seed in seeds:
        for activity, view, motion in FILMS:
            folder = cache / "clips" / f"{activity}-{view}-{motion}-{seed}"
            config = ToyConfig(
                activity=activity,
                seed=seed,
                view=view,
                camera_motion=motion,
                clutter=4,
                samples=2,
                duration_s=5.0,
            )
            clip = ToyClip(folder) if (folder / "config.json").is_file() else make_clip(config, folder)
            made.append(Film(folder.name, clip))
    return made


def run(film: Film, way: str, cache: Path) -> tuple[Scene, dict, float]:
    """The product's scene, its camera notes and the camera stage's time over the clip's."""
    import json

    fx, fy, cx, cy = (str(v) for v in film.truth.camera.params)
    words = ["--intrinsics", fx, fy, cx, cy] if way == "told" else []
    out = cache / "runs" / f"{film.name}-{way}"
    options = tyro.cli(RunOptions, args=[str(film.video), *words])
    outcome = run_clips(
        RunRequest(whole([film.video]), [], out, resolve(options), with_video=False, with_dataset=False)
    )
    folders = outcome.clips[0].folders
    notes = json.loads((folders["camera"] / "notes.json").read_text())
    seconds = json.loads((folders["camera"] / "manifest.json").read_text()).get("seconds", float("nan"))
    scene = Scene.load(out / outcome.clips[0].clip_id / "scene")
    return scene, notes, seconds / scene.clip.duration_s


def row(film: Film, scene: Scene, notes: dict, pace: float) -> str:
    """One line of the table."""
    truth, camera = film.truth, scene.camera
    frame = np.searchsorted(truth.clip.t_ns, scene.clip.t_ns).clip(0, len(truth.clip.t_ns) - 1)
    T = truth.camera.T_world_camera[frame]
    U = camera.scene_T_camera()
    unknown = _hands_off(truth, frame, scene, T[0] @ inverse(U[0]))
    if scene.camera_path is None:
        why = (notes.get("path") or {}).get("reason", notes["motion"]["reason"])
        return f"| {film.name} | no: {why} | | | | | {unknown:.1f} | {pace:.1f} |"
    turn = rotation_mean(T[:, :3, :3] @ U[:, :3, :3].transpose(0, 2, 1))
    shift = (T[:, :3, 3] - U[:, :3, 3] @ turn.T).mean(axis=0)
    G = make_T(turn, shift)
    off = np.rad2deg(np.sqrt((rotation_angle(turn @ U[:, :3, :3], T[:, :3, :3]) ** 2).mean()))
    place = 100 * np.sqrt((((G @ U)[:, :3, 3] - T[:, :3, 3]) ** 2).sum(axis=-1).mean())
    extent = 100 * np.linalg.norm(T[:, :3, 3] - T[:, :3, 3].mean(axis=0), axis=-1).max()
    metres = 1 / umeyama(U[:, :3, 3], T[:, :3, 3])[0]
    up = np.rad2deg(np.arccos(np.clip((T[0, :3, :3].T @ [0, 0, 1]) @ (U[0, :3, :3].T @ [0, 0, 1]), -1, 1)))
    account = scene.camera_path
    return (
        f"| {film.name} | yes | {off:.2f} ({np.rad2deg(account.turn_sigma):.2f}) | {place:.1f} of {extent:.0f} "
        f"| {metres:.2f} (+- {account.scale_sigma:.0%}) | {up:.1f} ({np.rad2deg(camera.gravity_sigma):.1f}) "
        f"| {_hands_off(truth, frame, scene, G):.1f} | {pace:.1f} |"
    )


def _hands_off(truth: Scene, frame: np.ndarray, scene: Scene, T_truth_scene: np.ndarray) -> float:
    """Median distance of the hands' middles (cm)."""
    both = truth.hands.valid[frame] & scene.hands.valid
    mine = apply(T_truth_scene, scene.hands.joints_world.mean(axis=2))
    return float(
        100 * np.median(np.linalg.norm(mine - truth.hands.joints_world[frame].mean(axis=2), axis=-1)[both])
    )


def peer_row(film: Film) -> str:
    """COLMAP by the book on five pictures a second."""
    import pycolmap
    from PIL import Image

    truth = film.truth
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        pictures.mkdir()
        for index, (_, rgb) in enumerate(open_video(film.video).frames(None, truth.clip.t_ns)):
            if index % 6 == 0:
                Image.fromarray(rgb).save(pictures / f"{index:05d}.png")
        fx, _, cx, cy = truth.camera.params
        reader = pycolmap.ImageReaderOptions(
            camera_model="SIMPLE_PINHOLE", camera_params=f"{fx},{cx + 0.5},{cy + 0.5}"
        )
        database = Path(folder) / "db.db"
        pycolmap.extract_features(
            database, pictures, camera_mode=pycolmap.CameraMode.SINGLE, reader_options=reader
        )
        pycolmap.match_exhaustive(database)
        options = pycolmap.IncrementalPipelineOptions(
            ba_refine_focal_length=False, ba_refine_extra_params=False
        )
        models = pycolmap.incremental_mapping(database, pictures, folder, options)
    seconds = time.perf_counter() - start
    total = -(-len(truth.clip.t_ns) // 6)
    if not models:
        return f"| {film.name} | 0 of {total} | | {seconds / truth.clip.duration_s:.1f} |"
    model = max(models.values(), key=lambda m: m.num_reg_images())
    poses = {
        int(i.name[:5]): np.asarray(i.cam_from_world().matrix()) for i in model.images.values() if i.has_pose
    }
    R = np.stack([poses[k][:, :3].T for k in sorted(poses)])
    true = truth.camera.T_world_camera[sorted(poses), :3, :3]
    turn = rotation_mean(true @ R.transpose(0, 2, 1))
    off = np.rad2deg(np.sqrt((rotation_angle(turn @ R, true) ** 2).mean()))
    return f"| {film.name} | {len(poses)} of {total} | {off:.2f} | {seconds / truth.clip.duration_s:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", nargs="*", type=int, default=[31, 32])
    parser.add_argument("--ways", nargs="*", default=["told", "default"])
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/reenact_camera_path"))
    parser.add_argument("--shared", type=Path, default=None)
    options = parser.parse_args()
    made = films(options.cache, options.seeds)
    for way in options.ways:
        print(f"\n{way}\n\n| clip | path | turn deg (sigma) | place cm of extent | metres / true | up deg (sigma) "
              "| hands cm | time |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
        for film in made:
            print(row(film, *run(film, way, options.cache)), flush=True)
    if options.peer:
        print("\npeer\n\n| clip | pictures placed | turn deg | time |\n|---|---|---|---|")
        for film in made:
            print(peer_row(film), flush=True)
    if options.shared is not None:
        print(
            ball_row(options.shared / "data"), *plate_rows(options.shared / "data", options.cache), sep="\n"
        )


if __name__ == "__main__":
    main()
