"""The truth backend: known object poses with noise of stated size, so that refinement can be measured."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.scene import ObjectTracks, PoseCovariance, Source


@dataclass(frozen=True)
class TruthPoseConfig:
    """The noise put on the truth; none by default."""

    sigma: float = 0.0
    """White noise of the place, 1-sigma per axis (m)."""
    sigma_deg: float = 0.0
    """White noise of the turn, 1-sigma per axis (degrees)."""
    dropout: float = 0.0
    """Share of poses that are lost."""
    seed: int = 0
    """Seed of everything random here."""


def noisy_truth(objects: ObjectTracks, config: TruthPoseConfig) -> tuple[ObjectTracks, PoseCovariance]:
    """The tracks with noise, and the covariance that was planted."""
    rng = np.random.default_rng(config.seed)
    shape = objects.valid.shape
    T = np.array(objects.T_world_object)
    T[..., :3, 3] += rng.normal(size=(*shape, 3)) * config.sigma
    T[..., :3, :3] = so3_exp(rng.normal(size=(*shape, 3)) * np.deg2rad(config.sigma_deg)) @ T[..., :3, :3]
    valid = objects.valid & (rng.random(shape) >= config.dropout)
    exact = config == TruthPoseConfig(seed=config.seed)
    spread = np.array([max(config.sigma, 1e-4)] * 3 + [max(np.deg2rad(config.sigma_deg), 1e-3)] * 3)
    noisy = dataclasses.replace(
        objects,
        T_world_object=T,
        valid=valid,
        confidence=np.where(valid, objects.confidence, 0.0),
        source=np.where(
            valid, np.uint8(Source.TRUTH if exact else Source.OBSERVED), np.uint8(Source.UNKNOWN)
        ),
    )
    covariance = np.tile(np.diag(spread**2), (*shape, 1, 1))
    return noisy, PoseCovariance(object_ids=objects.object_ids, covariance=covariance, valid=valid)
