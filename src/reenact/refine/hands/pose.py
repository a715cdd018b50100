"""One frame: a hand of fixed bone lengths, fitted to 21 rays, with the net's 3D only as a hint.

Pixels of a hand net stay good where its 3D does not (research: perception 1.3), so the fit trusts the rays and asks
of the net's shape only the bones' directions, with a wide, outlier-proof weight. Unknown are the wrist's pose and the
20 finger angles; bone lengths and joint limits make the depth of every bone follow from how short it looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Float64

from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import bone_lengths, wrist_frame
from reenact.hands.skeleton import HandSkeleton
from reenact.refine.hands.kinematics import STEP_SIZE, FingerPlanes, posed_joints_and_jacobian
from reenact.refine.hands.levenberg import LevenbergConfig, Normal, State, minimise
from reenact.refine.hands.limits import JointLimitsConfig, limit_angles
from reenact.refine.hands.offsets import LandmarkOffsets
from reenact.refine.hands.rigid import NEAR, RayBundle, place_by_size

REVERSED = np.array([0, 1, 2, 3, 4, *range(17, 21), *range(13, 17), *range(9, 13), *range(5, 9)])
"""Landmarks of a hand whose four fingers were named from the wrong edge; its own inverse."""
_PIPS, _DIPS = np.array([6, 10, 14, 18]), np.array([7, 11, 15, 19])


@dataclass(frozen=True)
class PoseConfig:
    """Noise and priors of the fit. Angles in radians."""

    landmark_sigma: float = 0.02
    """One-sigma of a landmark, as a fraction of the hand's box: net noise and skeleton mismatch together."""
    landmark_outlier: float = 3.0
    """Cauchy scale in sigmas: a landmark this far off counts half."""
    direction_sigma: float = 0.5
    """One-sigma of a bone's direction in the net's relative shape (rad)."""
    direction_outlier: float = 1.0
    """Cauchy scale in sigmas."""
    angle_sigma: float = 0.8
    """One-sigma of each finger angle about a relaxed hand (rad); weak, it only settles what nothing sees."""
    relaxed_deg: tuple[float, float, float, float] = (30.0, 0.0, 35.0, 20.0)
    """Relaxed finger: MCP flexion, abduction, PIP, DIP. Grasping mocap (DexYCB, InterHand) has 20..30, -10, 45, 20."""
    relaxed_thumb_deg: tuple[float, float, float, float] = (20.0, -5.0, 5.0, 15.0)
    """Relaxed thumb: CMC flexion, CMC abduction, MCP, IP."""
    tendon_ratio: float = 0.67
    """DIP flexion per PIP flexion (Rijpkema & Girard, SIGGRAPH 1991: two thirds)."""
    tendon_sigma: float = 0.4
    """One-sigma of that coupling (rad)."""
    limit_sigma: float = 0.1
    """Softness of the joint limits during the fit (rad)."""
    limits: JointLimitsConfig = field(default_factory=JointLimitsConfig)
    solver: LevenbergConfig = field(default_factory=LevenbergConfig)


@dataclass(frozen=True)
class HandPoses:
    """n fitted hands of one side, camera axes, metres."""

    R_camera_wrist: Float64[np.ndarray, "n 3 3"]
    t_camera: Float64[np.ndarray, "n 3"]
    """The wrist."""
    angles: Float64[np.ndarray, "n 20"]
    covariance: Float64[np.ndarray, "n 26 26"]
    """Of translation, rotation vector (camera axes, on the left) and angles, given the assumed noise."""
    misfit: Float64[np.ndarray, " n"]
    """RMS angle off the rays over the assumed one-sigma; about 1 when noise is as assumed."""
    image_cost: Float64[np.ndarray, " n"]
    """What the fit pays for being off the rays and for an unlikely hand (squared sigmas, outlier-proof)."""
    hint_cost: Float64[np.ndarray, " n"]
    """What it pays for being off the net's bone directions."""


def fit_hand_poses(
    skeleton: HandSkeleton,
    rays: Float[np.ndarray, "n j=21 3"],
    landmarks_rel: Float[np.ndarray, "n j=21 3"],
    config: PoseConfig | None = None,
    offsets: Float64[np.ndarray, "2 j=21 3"] | None = None,
) -> HandPoses:
    """The most probable pose of each hand by itself (no time).

    Args:
        rays: directions from the camera through the landmarks, camera axes.
        landmarks_rel: the net's relative shape, camera axes, any scale and origin.
        offsets: landmarks less joints, as `offsets_of` has them; None: the landmarks are the joints.
    """
    return PoseProblem(skeleton, rays, landmarks_rel, config or PoseConfig(), offsets=offsets).solve()


def _retract(state: State, step: np.ndarray) -> State:
    R, t, angles = state
    return so3_exp(step[:, 3:6]) @ R, t + step[:, :3], angles + step[:, 6:]


class PoseProblem:
    """Residuals of n hands; every term is a weighted least-squares row of the same 26-number step."""

    def __init__(
        self,
        skeleton: HandSkeleton,
        rays: np.ndarray,
        rel: np.ndarray,
        config: PoseConfig,
        told: np.ndarray | None = None,
        offsets: np.ndarray | None = None,
    ) -> None:
        """`told` [n 21] is false for landmarks that say nothing; None: all speak. `offsets`: see `fit_hand_poses`."""
        self.config = config
        self.skeleton = skeleton
        self.told = np.ones(np.shape(rays)[:2], dtype=bool) if told is None else told
        self.planes = FingerPlanes(skeleton)
        self.offsets = np.zeros((2, 21, 3)) if offsets is None else offsets
        self._beside = LandmarkOffsets(skeleton, self.offsets)
        self.bundle = RayBundle.from_rays(rays)
        self.sigma = config.landmark_sigma * self.bundle.box_angle
        self.rel = np.asarray(rel, dtype=np.float64)
        bones = bones_of(self.rel)
        self.directions = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
        off, _ = self._beside.with_derivatives(np.zeros((1, 20)), np.zeros(1))
        self.bone_lengths = bone_lengths(skeleton.rest_joints_wrist + off[0])
        self.lower, self.upper = config.limits.bounds()
        self.relaxed = np.deg2rad(np.array([*config.relaxed_thumb_deg, *config.relaxed_deg * 4]))
        self.coupling = _tendon_matrix(config)

    def take(self, rows: np.ndarray) -> PoseProblem:
        """Some of the hands."""
        return self._again(self.bundle.rays[rows], self.rel[rows], self.told[rows])

    def fingers_reversed(self) -> PoseProblem:
        """The same landmarks read as if the net had taken the hand for the other one: index to pinky the other way
        round. The thumb then says nothing, for it was looked for on the wrong edge of the hand."""
        told = self.told.copy()
        told[:, 1:5] = False
        rays, rel = self.bundle.rays[:, REVERSED], self.rel[:, REVERSED]
        return self._again(rays, rel, told)

    def mixed(self, other: PoseProblem, others: np.ndarray) -> PoseProblem:
        """The hands of `other` where the mask says so, else these."""
        each = others[:, None]
        rays = np.where(each[..., None], other.bundle.rays, self.bundle.rays)
        rel = np.where(each[..., None], other.rel, self.rel)
        return self._again(rays, rel, np.where(each, other.told, self.told))

    def _again(self, rays: np.ndarray, rel: np.ndarray, told: np.ndarray) -> PoseProblem:
        """Other pictures of the same hand by the same net."""
        return PoseProblem(self.skeleton, rays, rel, self.config, told, self.offsets)

    def start(self) -> State:
        """The net's own orientation and angles, brought inside the limits and placed by apparent size."""
        return self.start_from(self.rel)

    def start_from(self, shape: Float64[np.ndarray, "n j=21 3"]) -> State:
        """The same from any shape of the hands (camera axes, any scale and place)."""
        R = wrist_frame(shape, self.skeleton.side)
        local = (shape - shape[:, :1]) @ R
        return self.place(R, limit_angles(self.skeleton.fit_angles(local), self.config.limits))

    def place(self, R_camera_wrist: np.ndarray, angles: np.ndarray) -> State:
        """Hands of known turn and bend, placed by apparent size."""
        shape = self.planes.joints(angles) @ np.swapaxes(R_camera_wrist, -1, -2)
        return R_camera_wrist, place_by_size(shape, self.bundle), angles

    def solve(self, start: State | None = None) -> HandPoses:
        """Each hand by itself, from its own start or a given one."""
        (R, t, angles), cost, normal = minimise(
            self.start() if start is None else start, self.evaluate, _retract, self.config.solver
        )
        marks = self.landmarks((R, t, angles))
        error, _, _ = self.bundle.errors(marks)
        rms = np.sqrt(((error**2).sum(axis=-1) * self.told).sum(axis=-1) / self.told.sum(axis=-1) / 2.0)
        bones = bones_of(marks) / self.bone_lengths[:, None]
        off = (bones - self.directions) / self.config.direction_sigma * self.told[:, 1:, None]
        hint, _ = _cauchy(off, self.config.direction_outlier)
        return HandPoses(R, t, angles, np.linalg.inv(normal), rms / self.sigma, cost - hint, hint)

    def joints(self, state: State) -> Float64[np.ndarray, "n j=21 3"]:
        """Of all hands, camera axes."""
        R, t, angles = state
        return self.planes.joints(angles) @ np.swapaxes(R, -1, -2) + t[:, None]

    def landmarks(self, state: State) -> Float64[np.ndarray, "m j=21 3"]:
        """Where the net should see its landmarks on any m hands of this side, camera axes."""
        R, t, angles = state
        local = (
            self.planes.joints(angles) + self._beside.with_derivatives(angles, self._beside.toward(R, t))[0]
        )
        return local @ np.swapaxes(R, -1, -2) + t[:, None]

    def evaluate(self, state: State, rows: np.ndarray) -> Normal:
        """Cost and normal equations of some hands."""
        R, t, angles = state
        marks, jacobian = posed_joints_and_jacobian(self.planes, R, t, angles, self._beside)
        seen_cost, seen, seen_rows, in_front = self._image_rows(marks, jacobian, rows)
        hint_cost, hint, hint_rows = self._direction_rows(marks, jacobian, rows)
        residual = np.concatenate([seen, hint], axis=1)
        table = np.concatenate([seen_rows, hint_rows], axis=1)
        transposed = np.swapaxes(table, 1, 2)
        gradient, normal = (transposed @ residual[..., None])[..., 0], transposed @ table
        cost = seen_cost + hint_cost + self._add_priors(angles, gradient, normal)
        return np.where(in_front, cost, np.inf), gradient, normal

    def _image_rows(
        self, marks: np.ndarray, jacobian: np.ndarray, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        sigma, told = self.sigma[rows], self.told[rows]
        error, slope, along = self.bundle.take(rows).errors(marks)
        error = error * told[..., None]
        cost, root = _cauchy(error / sigma[:, None, None], self.config.landmark_outlier)
        scale = (root * told / sigma[:, None])[..., None]
        table = (slope @ jacobian) * scale[..., None]
        n = len(rows)
        return cost, (error * scale).reshape(n, 42), table.reshape(n, 42, STEP_SIZE), along.min(axis=1) > NEAR

    def _direction_rows(
        self, marks: np.ndarray, jacobian: np.ndarray, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sigma, n, told = self.config.direction_sigma, len(rows), self.told[rows, 1:]
        bones = bones_of(marks) / self.bone_lengths[:, None]
        error = (bones - self.directions[rows]) / sigma * told[..., None]
        cost, root = _cauchy(error, self.config.direction_outlier)
        weight = root * told / (sigma * self.bone_lengths)
        table = bones_of(jacobian.reshape(n, 21, 3 * STEP_SIZE)) * weight[..., None]
        return cost, (error * root[..., None]).reshape(n, 60), table.reshape(n, 60, STEP_SIZE)

    def _add_priors(self, angles: np.ndarray, gradient: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Relaxed hand, tendon coupling and soft limits; adds in place, returns their cost."""
        c = self.config
        off = (angles - self.relaxed) / c.angle_sigma
        over = (np.maximum(angles - self.upper, 0) + np.minimum(angles - self.lower, 0)) / c.limit_sigma
        tied = angles @ self.coupling.T
        gradient[:, 6:] += off / c.angle_sigma + over / c.limit_sigma + tied @ self.coupling
        normal[:, 6:, 6:] += self.coupling.T @ self.coupling
        diagonal = np.arange(6, 26)
        normal[:, diagonal, diagonal] += c.angle_sigma**-2 + (over != 0) * c.limit_sigma**-2
        return (off**2).sum(axis=1) + (over**2).sum(axis=1) + (tied**2).sum(axis=1)


def _cauchy(error: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Robust cost [n] of vectors [n k c] in sigmas, and the square root of each vector's weight [n k]."""
    squared = (error**2).sum(axis=-1) / scale**2
    return scale**2 * np.log1p(squared).sum(axis=-1), 1.0 / np.sqrt(1.0 + squared)


def bones_of(joints: Float64[np.ndarray, "n j=21 c"]) -> Float64[np.ndarray, "n 20 c"]:
    """Each joint less its parent; row i ends at joint i + 1. Linear, so it serves derivatives as well."""
    n, _, width = joints.shape
    chains = joints[:, 1:].reshape(n, 5, 4, width)
    bones = np.empty((n, 5, 4, width))
    np.subtract(chains[:, :, 0], joints[:, :1], out=bones[:, :, 0])
    np.subtract(chains[:, :, 1:], chains[:, :, :-1], out=bones[:, :, 1:])
    return bones.reshape(n, 20, width)


def _tendon_matrix(config: PoseConfig) -> Float64[np.ndarray, "4 20"]:
    """Rows that are zero when DIP = ratio x PIP, in sigmas."""
    matrix = np.zeros((4, 20))
    fingers = np.arange(4)
    matrix[fingers, _DIPS] = 1.0 / config.tendon_sigma
    matrix[fingers, _PIPS] = -config.tendon_ratio / config.tendon_sigma
    return matrix
