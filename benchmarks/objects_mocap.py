"""Refinement against real truth: motion capture with the toy suite's noise injected.

- `mocap/taco_010`: a right hand reaches, grasps, lifts and puts back a tool (135 frames). The 21 joints are weighted
  means of the 778 vertices; the weights are fitted here on `mocap/dexycb_crackerbox`, which has both.
- `mocap/dexycb_crackerbox`: a right hand grasps and lifts the cracker box (74 frames); contact from frame 14.
- `gt/hot3d_quest3`: a right hand drags a computer mouse (15 frames); the mesh is of `gt/hot3d_objects`.

True contacts: the sphere model of the true hand within 5 mm of the object. True states: held by the hand while two points
touch and the object moves or is off its rests; moving or static without. A camera is put 0.7 m before the scene where the
set has none.

    OMP_NUM_THREADS=1 python benchmarks/objects_mocap.py --data ../shared/data [--markdown PATH]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from objects.baselines import BASELINES, Answer
from objects.measure import Sums, score
from objects.noise import LEVELS, disturbed

from reenact.datasets.readers.registry import open_dataset
from reenact.datasets.readers.tracks import hand_tracks, object_tracks
from reenact.geometry.filters import savgol_time
from reenact.hands.joints import RIGHT, TIPS
from reenact.refine.contacts.distances import build_grids, joints_in_object, measure
from reenact.refine.interaction.results import refine_interaction
from reenact.scene import (
    CameraTrack,
    Clip,
    ContactTracks,
    HandTracks,
    InteractionStates,
    ObjectTracks,
    Scene,
    Source,
)

NEAR = 0.005
"""Sphere-model distance of a true contact (m)."""
MOVED = 0.005
"""A thing this far from both its first and its last place is off its rests (m)."""


@dataclass(frozen=True)
class Take:
    """A true scene and what is said about it."""

    name: str
    scene: Scene
    note: str


def joint_weights(vertices: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """[21 778]: each joint as an affine mean of the vertices that keep their distance to it best."""
    weights = np.zeros((21, vertices.shape[1]))
    for j in range(21):
        spread = np.linalg.norm(vertices - joints[:, j : j + 1], axis=-1)
        near = np.argsort(spread.std(axis=0) + 0.05 * spread.mean(axis=0))[:24]
        design = np.moveaxis(vertices[:, near], 1, 2).reshape(-1, len(near))
        scale = 30.0
        rows = np.concatenate([design, scale * np.ones((1, len(near))), 0.02 * np.eye(len(near))])
        right = np.concatenate([joints[:, j].ravel(), [scale], 0.02 * np.full(len(near), 1 / len(near))])
        weights[j, near] = np.linalg.lstsq(rows, right, rcond=None)[0]
    return weights


def takes(data: Path) -> list[Take]:
    """The three recordings as scenes."""
    cracker = np.load(data / "mocap/dexycb_crackerbox/dexycb_motion.npz")
    weights = joint_weights(
        cracker["world_hand_vertices"].astype(float), cracker["world_hand_joints"].astype(float)
    )
    back = np.einsum("jv,tvi->tji", weights, cracker["world_hand_vertices"].astype(float))
    off = 1e3 * np.linalg.norm(back - cracker["world_hand_joints"], axis=-1).mean()
    out = []
    box = next(iter(open_dataset(data / "mocap/dexycb_crackerbox/dexycb_motion.npz")))
    out.append(_take("dexycb_crackerbox", box.t_ns, box.hands, box.objects, None, ""))
    raw = np.load(data / "mocap/taco_010/20231104_010.npz")
    tool = next(iter(open_dataset(data / "mocap/taco_010/20231104_010.npz")))
    joints = np.zeros((len(raw["hand_verts"]), 2, 21, 3))
    joints[:, RIGHT] = np.einsum("jv,tvi->tji", weights, raw["hand_verts"].astype(float))
    valid = np.zeros(joints.shape[:2], bool)
    valid[:, RIGHT] = True
    hands = hand_tracks(joints, valid, world_frame="world", truth=True)
    note = f"joints from vertices (weights fitted on the cracker box, {off:.1f} mm off there)"
    out.append(_take("taco_010", tool.t_ns, hands, tool.objects, None, note))
    mouse = _mouse(data)
    return [*out, mouse] if mouse is not None else out


def _mouse(data: Path) -> Take | None:
    try:
        import trimesh
    except ImportError:
        print("trimesh is not there: the mesh of the mouse cannot be read, hot3d is left out")
        return None
    take = next(iter(open_dataset(data / "gt/hot3d_quest3")))
    best, found = np.inf, -1
    for o in range(len(take.objects.object_ids)):
        apart = np.linalg.norm(
            take.hands.joints_world[:, RIGHT, TIPS[1]] - take.objects.T_world_object[:, o, :3, 3], axis=-1
        ).mean()
        best, found = min((best, found), (float(apart), o))
    name = take.objects.object_ids[found]
    files = [f for f in (data / "gt/hot3d_objects").glob("*.glb") if f.stem == name]
    if not files:
        print(f"the nearest object {name} has no mesh here")
        return None
    mesh = trimesh.load(files[0], force="mesh")
    one = object_tracks(
        [name], take.objects.T_world_object[:, found : found + 1], names=["mouse"],
        valid=take.objects.valid[:, found : found + 1], meshes=[(np.asarray(mesh.vertices), np.asarray(mesh.faces))],
    )  # fmt: skip
    return _take("hot3d_quest3", take.t_ns, take.hands, one, take.camera, "the mouse is dragged")


def _take(
    name: str,
    t_ns: np.ndarray,
    hands: HandTracks,
    objects: ObjectTracks,
    camera: CameraTrack | None,
    note: str,
) -> Take:
    t = len(t_ns)
    camera = camera if camera is not None else _camera(objects, hands, t)
    step = int(np.median(np.diff(t_ns)))
    clip = Clip(
        clip_id=name, source_name=name, source_sha256="", width_px=camera.width_px, height_px=camera.height_px,
        rotation_deg=0, nominal_fps_hz=1e9 / step, t_ns=t_ns, end_ns=int(t_ns[-1] + step),
        source_frame_idx=np.arange(t, dtype=np.int64),
    )  # fmt: skip
    contacts, states = _labels(objects, hands, clip.t_seconds)
    return Take(
        name,
        Scene(clip=clip, camera=camera, hands=hands, objects=objects, contacts=contacts, states=states),
        note,
    )


def _camera(objects: ObjectTracks, hands: HandTracks, t: int) -> CameraTrack:
    """Still, 0.7 m from the middle of what happens, from the side on which the hand is."""
    middle = objects.T_world_object[:, 0, :3, 3].mean(axis=0)
    toward = hands.joints_world[:, RIGHT].reshape(-1, 3).mean(axis=0) - middle
    forward = -(toward / np.linalg.norm(toward) + np.array([0.3, 0.2, 0.4]))
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.1, 0.2, 1.0])
    right /= np.linalg.norm(right)
    T = np.eye(4)
    T[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    T[:3, 3] = middle - 0.7 * forward
    return CameraTrack(
        model="pinhole", params=np.array([600.0, 600.0, 319.5, 239.5]), width_px=640, height_px=480,
        intrinsics_source="truth", focal_sigma=0.0, T_world_camera=np.tile(T, (t, 1, 1)), valid=np.ones(t, bool),
        confidence=np.ones(t), source=np.full(t, Source.TRUTH, np.uint8), motion="still", motion_heights_per_s=0.0,
        world_frame=hands.world_frame, gravity_source="truth", gravity_sigma=0.0,
    )  # fmt: skip


def _labels(
    objects: ObjectTracks, hands: HandTracks, t: np.ndarray
) -> tuple[ContactTracks, InteractionStates]:
    grid = build_grids([objects.mesh(0)])[0]
    T = objects.T_world_object[:, 0]
    distance = np.ones((len(T), 2, 6, 1))
    local = joints_in_object(hands.joints_world[:, RIGHT], T)
    distance[:, RIGHT, :, 0] = measure(local, grid, float(hands.hand_length[RIGHT])).distance
    touching = distance < NEAR
    valid = np.broadcast_to(hands.valid[:, :, None], (*hands.valid.shape, 1)).copy()
    place = T[:, :3, 3]
    off = (
        np.minimum(np.linalg.norm(place - place[0], axis=1), np.linalg.norm(place - place[-1], axis=1))
        > MOVED
    )
    speed = np.linalg.norm(savgol_time(place, t, 0.2, order=1, derivative=1), axis=1) > 0.02
    touched = touching[:, RIGHT, :, 0].sum(axis=1) >= 2
    state = np.where(touched & (off | speed), 4, np.where(speed, 2, 1)).astype(np.uint8)[:, None]
    ones, source = np.ones(state.shape), np.full(state.shape, Source.TRUTH, np.uint8)
    return (
        ContactTracks(
            touching=touching & valid[:, :, None], distance=distance, confidence=valid.astype(float), valid=valid,
            source=np.where(valid, Source.TRUTH, Source.UNKNOWN).astype(np.uint8),
        ),
        InteractionStates(state=state, confidence=ones, valid=ones > 0, source=source),
    )  # fmt: skip


def run(take: Take) -> list[str]:
    """Rows of the table, three draws of noise per level."""
    truth, lines = take.scene, []
    grid = build_grids([truth.objects.mesh(0)])[0]
    for level in LEVELS:
        sums = {"raw (per frame)": Sums(), "smoothing": Sums(), "ours": Sums()}
        first = []
        for seed in range(3):
            raw = disturbed(truth, level, 1000 + seed)
            raw = Scene(**{**raw.parts(), "support": None})  # no plane is known in these sets
            for name in ("raw (per frame)", "smoothing"):
                score(sums[name], truth, 0, BASELINES[name](raw, 0), raw.hands, grid, pictures=False)
            result = refine_interaction(raw.objects_raw, raw.hands, raw.camera, None, raw.clip.t_ns)
            objects = result.objects
            said = Answer(
                objects.T_world_object[:, 0], objects.valid[:, 0], result.states.state[:, 0],
                result.contacts.touching[..., 0],
            )  # fmt: skip
            score(sums["ours"], truth, 0, said, result.hands, grid, pictures=False)
            touched = np.flatnonzero(result.contacts.touching[..., 0].any(axis=(1, 2)))
            first.append(int(touched[0]) if len(touched) else -1)
        for name, s in sums.items():
            s.vsd, s.failed = [np.nan], [np.nan]
            row = s.row()
            keys = (
                "place mm",
                "turn deg",
                "stability",
                "state F1",
                "state share",
                "contact P",
                "contact R",
                "depth mm",
            )
            numbers = " | ".join(
                f"{row[k]:.3f}" if k[-2:] not in ("mm", "eg") else f"{row[k]:.1f}" for k in keys
            )
            extra = f"first contact at frame {first}" if name == "ours" else ""
            lines.append(f"| {take.name} | {level.name} | {name} | {numbers} | {extra} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--markdown", type=Path, default=None)
    args = parser.parse_args()
    keys = "place mm | turn deg | stability | state F1 | state share | contact P | contact R | depth mm"
    head = f"| take | noise | method | {keys} | |"
    lines = [head, "|" + "---|" * 12]
    for take in takes(args.data):
        touched = np.flatnonzero(take.scene.contacts.touching.any(axis=(1, 2, 3)))
        state = take.scene.states.state[:, 0]
        print(take.name, len(state), "frames; true contact from", touched[:1], "to", touched[-1:], take.note)
        print(
            "   held in", int((state == 4).sum()), "frames, from", np.flatnonzero(state == 4)[:1], flush=True
        )
        lines += run(take)
    print("\n".join(lines))
    if args.markdown:
        args.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
