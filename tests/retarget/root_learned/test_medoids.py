"""Clusters that were planted are found."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.geometry.rotations import random_rotation, rotation_angle, so3_exp
from reenact.retarget.root.learned.medoids import k_medoids, se3_distances


def planted(seed: int, sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = np.broadcast_to(np.eye(4), (len(sizes), 4, 4)).copy()
    centres[:, :3, :3] = random_rotation(rng, len(sizes))
    centres[:, :3, 3] = 2.0 * np.arange(len(sizes))[:, None] + rng.normal(size=(len(sizes), 3)) * 0.1
    label = np.repeat(np.arange(len(sizes)), sizes)
    T = centres[label]
    T[:, :3, :3] = T[:, :3, :3] @ so3_exp(rng.normal(size=(len(T), 3)) * 0.03)
    T[:, :3, 3] += rng.normal(size=(len(T), 3)) * 0.03
    order = rng.permutation(len(T))
    return T[order], label[order]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_planted_clusters_are_recovered_largest_first(seed: int) -> None:
    sizes = (30, 22, 15, 9, 5)
    T, label = planted(seed, sizes)
    medoids, found = k_medoids(se3_distances(T), 5)
    assert np.bincount(found).tolist() == sorted(sizes, reverse=True)
    for cluster, medoid in enumerate(medoids):
        assert len(np.unique(label[found == cluster])) == 1
        assert found[medoid] == cluster


def test_the_distance_is_angle_plus_metres() -> None:
    T, _ = planted(1, (4, 3))
    distances = se3_distances(T)
    angle = rotation_angle(T[:, None, :3, :3], T[None, :, :3, :3])
    moved = np.linalg.norm(T[:, None, :3, 3] - T[None, :, :3, 3], axis=-1)
    np.testing.assert_allclose(distances, angle + moved, atol=1e-6)
    np.testing.assert_allclose(se3_distances(T, 0.5), 0.5 * angle + moved, atol=1e-6)


def test_fewer_points_than_clusters() -> None:
    T, _ = planted(2, (3,))
    medoids, label = k_medoids(se3_distances(T), 5)
    assert sorted(medoids.tolist()) == [0, 1, 2]
    assert sorted(label.tolist()) == [0, 1, 2]
