"""A block that is picked up, carried and put down by a right hand, with truth and with noise; no renderer, no script."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reenact.geometry.mesh_distance import GridConfig, SignedDistanceGrid
from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import JOINT_NAMES_21
from reenact.hands.skeleton import ADULT_HAND_LENGTH, HandSkeleton
from reenact.refine.contacts.hand_spheres import sphere_centres, sphere_radii
from reenact.scene import CameraTrack, HandTracks, ObjectTracks, Source, SupportPlane
from tests import scenes

RIGHT = 1
HALF = np.array([0.02, 0.025, 0.03])
FACES = np.array([
    [0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4],
    [2, 6, 3], [3, 6, 7], [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5],
])  # fmt: skip
GRASP, RELEASE, LENGTH = 1.0, 2.2, 3.2
"""When the hand has the block, when it no longer has it, how long it all takes (s)."""


@dataclass(frozen=True)
class Played:
    """Truth or a disturbed copy."""

    t_ns: np.ndarray
    objects: ObjectTracks
    hands: HandTracks
    camera: CameraTrack
    support: SupportPlane

    @property
    def t(self) -> np.ndarray:
        return self.t_ns * 1e-9

    @property
    def held(self) -> np.ndarray:
        return (self.t >= GRASP) & (self.t < RELEASE)


def corners(half: np.ndarray = HALF) -> np.ndarray:
    return np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float) * half


def play(fps_hz: float = 30.0) -> Played:
    """Reach from 0.3 to 0.9 s, carry 25 cm sideways and back down from 1.1 to 2.1 s, leave from 2.3 s."""
    t_ns = np.rint(np.arange(round(LENGTH * fps_hz)) * 1e9 / fps_hz).astype(np.int64)
    t = t_ns * 1e-9
    carried = _ease((t - 1.1) / 1.0)[:, None] * [0.0, 0.25, 0.0]
    carried = carried + 0.12 * np.sin(np.pi * _ease((t - 1.1) / 1.0))[:, None] ** 2 * [0, 0, 1.0]
    block = np.tile(np.eye(4), (len(t), 1, 1))
    block[:, :3, 3] = np.array([0.6, -0.1, HALF[2]]) + carried
    away = (1 - _ease((t - 0.3) / 0.6))[:, None] * [-0.12, 0.0, 0.15]
    away = away + _ease((t - 2.3) / 0.6)[:, None] * [-0.12, 0.0, 0.15]
    grip, middle = _gripping()
    joints = np.zeros((len(t), 2, 21, 3))
    joints[:, RIGHT] = grip - middle + block[:, None, :3, 3] + away[:, None]
    valid = np.zeros((len(t), 2), bool)
    valid[:, RIGHT] = True
    return Played(t_ns, _objects(block), _hands(joints, valid), _camera(len(t)), _table())


def disturb(played: Played, sigma: float, dropout: float, seed: int = 0) -> Played:
    """White noise on block and hand (turns: 5 rad/m of it), single frames lost."""
    rng, n = np.random.default_rng(seed), len(played.t_ns)
    T = played.objects.T_world_object.copy()
    T[:, 0, :3, :3] = so3_exp(rng.normal(0, 5 * sigma, (n, 3))) @ T[:, 0, :3, :3]
    T[:, 0, :3, 3] += rng.normal(0, sigma, (n, 3))
    joints = played.hands.joints_world.copy()
    centre = joints[:, RIGHT].mean(axis=1, keepdims=True)
    turned = np.einsum("tij,tkj->tki", so3_exp(rng.normal(0, 5 * sigma, (n, 3))), joints[:, RIGHT] - centre)
    joints[:, RIGHT] = (
        turned + centre + rng.normal(0, sigma, (n, 1, 3)) + rng.normal(0, sigma / 5, (n, 21, 3))
    )
    seen, valid = rng.uniform(size=n) >= dropout, played.hands.valid.copy()
    valid[:, RIGHT] = rng.uniform(size=n) >= dropout
    return Played(played.t_ns, _objects(T[:, 0], seen), _hands(joints, valid), played.camera, played.support)


def _gripping() -> tuple[np.ndarray, np.ndarray]:
    """Joints of a right hand whose thumb and index pads are the block's width apart along y, and their middle."""
    skeleton = HandSkeleton.adult(RIGHT)
    best, found = np.inf, np.zeros((21, 3))
    for bend in np.linspace(0.3, 1.1, 81):
        angles = np.zeros(20)
        angles[4:8] = 0.9 * bend, 0.0, 0.9 * bend, 0.5 * bend
        angles[:4] = 0.3, 0.0, 0.2, 0.2
        joints = skeleton.joints_wrist(angles[None])[0]
        pads = sphere_centres(joints)
        gap = abs(np.linalg.norm(pads[3] - pads[9]) - 2 * HALF[1] - 0.0095 - 0.0077)
        if gap < best:
            best, found = gap, joints
    pads = sphere_centres(found)
    across = pads[9] - pads[3]
    across /= np.linalg.norm(across)
    side = np.cross(across, [0.3, 0.5, 0.8])
    side /= np.linalg.norm(side)
    R = np.stack([side, across, np.cross(side, across)])  # the pads' line becomes y
    middle = (pads[3] + pads[9]) / 2
    grid = SignedDistanceGrid.build(corners(), FACES, GridConfig(cell=0.004))
    radii = sphere_radii()

    def depth(angle: float) -> float:
        turned = so3_exp(np.array([0.0, angle, 0.0])) @ R
        return float((grid.distance((pads - middle) @ turned.T) - radii).min())

    angle = max(np.linspace(0, 2 * np.pi, 72), key=depth)  # the rest of the hand clear of the block
    R = so3_exp(np.array([0.0, angle, 0.0])) @ R
    return found @ R.T, R @ middle


def _camera(frames: int) -> CameraTrack:
    """Half a metre above the table, looking down at the block's way."""
    track = scenes.camera(frames)
    forward = np.array([0.75, 0.0, -0.66])
    forward /= np.linalg.norm(forward)
    right = np.array([0.0, -1.0, 0.0])
    T = np.eye(4)
    T[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    T[:3, 3] = [0.0, 0.0, 0.5]
    return replace(track, T_world_camera=np.tile(T, (frames, 1, 1)))


def _ease(u: np.ndarray) -> np.ndarray:
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10 - 15 * u + 6 * u**2)


def _objects(T: np.ndarray, seen: np.ndarray | None = None) -> ObjectTracks:
    T = T.reshape(-1, 1, 4, 4)
    valid = np.ones((len(T), 1), bool) if seen is None else seen[:, None]
    return ObjectTracks(
        object_ids=("block",), names=("block",), T_world_object=np.where(valid[..., None, None], T, np.eye(4)),
        valid=valid, confidence=valid.astype(float),
        source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8), mesh_vertices=corners(),
        mesh_faces=FACES, vertex_start=np.array([0, 8]), face_start=np.array([0, 12]),
    )  # fmt: skip


def _hands(joints: np.ndarray, valid: np.ndarray) -> HandTracks:
    return HandTracks(
        joints_world=np.where(valid[..., None, None], joints, 0.0), valid=valid, confidence=np.where(valid, 0.9, 0.0),
        source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        sigma_camera=np.full((len(joints), 2, 3), 0.005), reprojection=np.zeros((len(joints), 2)),
        hand_length=np.full(2, ADULT_HAND_LENGTH), hand_length_source="truth", world_frame="world",
        joint_names=JOINT_NAMES_21,
    )  # fmt: skip


def _table() -> SupportPlane:
    return SupportPlane(
        valid=True, normal_world=np.array([0, 0, 1.0]), offset=0.0, sigma_offset=0.002, sigma_normal=0.01,
        confidence=1.0, origin="truth",
    )  # fmt: skip
