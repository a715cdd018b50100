"""How the skin follows the bones: weights by distance at build time, linear blending of bone moves at run time.

Plain linear blending pinches at bent knuckles. Every joint therefore carries one more *half bone* that turns by
half of the joint's angle about the joint; skin across a knuckle blends parent, half and child, which keeps the
knuckle round at 90 degrees without the cost of dual quaternions.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from reenact.geometry.rotations import so3_exp, so3_log
from reenact.hands.joints import finger_joints
from reenact.hands.rest import MM, RestHand

PALM, FOREARM, FOREARM_HALF = 0, 31, 32
"""Skin bones: 0 palm, 1..15 finger bones as in ``HandSkeleton.bone_transforms``, 16..30 the half bone at the near
joint of each finger bone, 31 forearm, 32 half bone of the wrist."""
SKIN_BONES = 33
JOINT_REACH_MM = ((22.0, 13.0, 10.0), (12.0, 9.0, 7.5), (12.0, 9.0, 7.5), (11.5, 8.5, 7.0), (10.0, 7.5, 6.0))
"""Half length of skin that bends at each finger's three joints; about the finger's half thickness."""
WRIST_REACH_MM = 26.0
SHARE_SOFTNESS_MM = 4.0
"""How softly neighbouring fingers, thumb and palm share skin between them."""


def parent_bone(bone: int) -> int:
    """The bone that carries finger bone 1..15."""
    return PALM if (bone - 1) % 3 == 0 else bone - 1


def segment_distance(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of points [n 3] to the segment a b."""
    axis = b - a
    along = np.clip((points - a) @ axis / (axis @ axis), 0.0, 1.0)
    return np.linalg.norm(points - a - along[:, None] * axis, axis=1)


def skin_weights(points: Float[np.ndarray, "v 3"], rest: RestHand) -> Float[np.ndarray, "v 33"]:
    """Weight of each skin bone at each rest point; rows sum to one."""
    shares = _shares(points, rest)
    weights = np.zeros((len(points), SKIN_BONES))
    weights[:, PALM] = shares[:, 5]
    for finger in range(5):
        _spread_finger(weights, shares[:, finger], points, finger, rest.bones)
    before, half, after = _bend((points[:, 0] - rest.flesh[0, 0]) / (WRIST_REACH_MM * MM))
    palm = weights[:, PALM].copy()
    weights[:, PALM] = palm * after
    weights[:, FOREARM_HALF], weights[:, FOREARM] = palm * half, palm * before
    return weights / weights.sum(1, keepdims=True)


def _shares(points: np.ndarray, rest: RestHand) -> np.ndarray:
    """How much thumb, four fingers and palm each own a point [v 6]; rows sum to one."""
    thickness_mm = (11.0, 9.0, 9.2, 8.6, 7.6, 13.0)
    distance = np.full((len(points), 6), np.inf)
    for finger in range(5):
        joints = rest.joints[list(finger_joints(finger))]
        for a, b in itertools.pairwise(joints):
            distance[:, finger] = np.minimum(distance[:, finger], segment_distance(points, a, b))
        if finger > 0:
            root = np.array([0.0, 0.0, 0.2 * joints[0, 2]])
            distance[:, 5] = np.minimum(distance[:, 5], segment_distance(points, root, joints[0]))
    arm = segment_distance(points, np.array([-0.3, 0.0, 0.0]), np.zeros(3))
    distance[:, 5] = np.minimum(distance[:, 5], arm) - thickness_mm[5] * MM
    distance[:, :5] -= np.array(thickness_mm[:5]) * MM
    closeness = np.exp(-(distance - distance.min(1, keepdims=True)) / (SHARE_SOFTNESS_MM * MM))
    return closeness / closeness.sum(1, keepdims=True)


def _bend(u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quadratic B-spline blend of (before, half, after) for u from -1 to 1 across a joint."""
    u = np.clip(u, -1.0, 1.0)
    before, after = 0.25 * (1 - u) ** 2, 0.25 * (1 + u) ** 2
    return before, 1.0 - before - after, after


def _spread_finger(
    weights: np.ndarray, share: np.ndarray, points: np.ndarray, finger: int, T_wrist_bone: np.ndarray
) -> None:
    """Adds one finger's share to the bones along it."""
    left = share.copy()
    for k in (2, 1, 0):
        bone = 1 + 3 * finger + k
        axis = T_wrist_bone[bone, :3, 0].copy()
        if k > 0:
            axis += T_wrist_bone[bone - 1, :3, 0]
        axis /= np.linalg.norm(axis)
        reach = JOINT_REACH_MM[finger][k] * MM
        before, half, after = _bend((points - T_wrist_bone[bone, :3, 3]) @ axis / reach)
        weights[:, bone] += left * after
        weights[:, 15 + bone] += left * half
        left = left * before
    weights[:, PALM] += left


def skin_moves(
    T_posed: Float[np.ndarray, "*b 17 4 4"], T_rest: Float[np.ndarray, "17 4 4"], scale: float
) -> Float[np.ndarray, "*b 33 3 4"]:
    """The affine move of every skin bone from the rest mesh to a pose.

    Args:
        T_posed: palm, 15 finger bones and forearm of the posed hand, in any one frame.
        T_rest: the same of the rest mesh.
        scale: size of the posed hand relative to the rest mesh.
    """
    rotation = T_posed[..., :3, :3] @ np.swapaxes(T_rest[:, :3, :3], -1, -2)
    moves = np.zeros((*T_posed.shape[:-3], SKIN_BONES, 3, 4))
    main = [*range(16), FOREARM]
    moves[..., main, :, :3] = scale * rotation
    moves[..., main, :, 3:] = (T_posed[..., :3, 3] - _times(scale * rotation, T_rest[:, :3, 3]))[..., None]
    children = [*range(1, 16), 16]
    parents = [*(parent_bone(b) for b in range(1, 16)), PALM]
    halves = [*range(16, 31), FOREARM_HALF]
    turn = np.swapaxes(rotation[..., parents, :, :], -1, -2) @ rotation[..., children, :, :]
    half = scale * rotation[..., parents, :, :] @ so3_exp(0.5 * so3_log(turn))
    moves[..., halves, :, :3] = half
    moves[..., halves, :, 3:] = (
        T_posed[..., :3, 3][..., children, :] - _times(half, T_rest[children, :3, 3])
    )[..., None]
    return moves


def skin_operator(vertices: Float[np.ndarray, "v 3"], weights: Float[np.ndarray, "v 33"]) -> csr_array:
    """The linear map [v 132] from moves of the 33 bones, four columns each, to vertices; see `blend`.

    A vertex hangs on three bones of the 33 on average, so the map is held sparse: 10 times less work than the dense
    product (27 poses of 800 points: 0.2 instead of 2.8 ms), and no threads.
    """
    vertex, bone = np.nonzero(weights)
    rest = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    shares = weights[vertex, bone, None] * rest[vertex]
    columns = 4 * bone[:, None] + np.arange(4)
    starts = np.concatenate([[0], np.cumsum(4 * np.bincount(vertex, minlength=len(vertices)))])
    return csr_array((shares.ravel(), columns.ravel(), starts), shape=(len(vertices), 4 * SKIN_BONES))


def blend(operator: csr_array, moves: Float[np.ndarray, "*b 33 3 4"]) -> Float[np.ndarray, "*b v 3"]:
    """Linear blend: every vertex by the weighted mean of its bones' moves."""
    flat = np.swapaxes(moves, -1, -2).reshape(-1, 4 * SKIN_BONES, 3)
    posed = operator @ np.swapaxes(flat, 0, 1).reshape(4 * SKIN_BONES, -1)
    posed = np.swapaxes(posed.reshape(len(posed), len(flat), 3), 0, 1)
    return np.ascontiguousarray(posed).reshape(*moves.shape[:-3], -1, 3)


def _times(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.einsum("...ij,...j->...i", matrix, vector)
