"""How sure a path is: the tracks are split in two halves, each is solved by itself, and the two answers compared.

The spread of independent halves sees what a reprojection error cannot (an ego path 4 degrees off had 0.7 px): a map that
folded, a turn that could as well be a shift, too few points. It does not see what all tracks share: a wrong lens, a large
thing that moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.rotations import rotation_angle, rotation_mean
from reenact.perception.camera.path.config import JudgeConfig, PathConfig
from reenact.perception.camera.path.mapping import Map, PinholeLens, map_keyframes
from reenact.perception.camera.path.register import FramePoses
from reenact.perception.camera.path.tracks import CornerTracks

_BLOCKS = np.array([9, 6])
"""Blocks across and down the picture that go to one half or the other together."""


@dataclass(frozen=True)
class PathTrust:
    """Numbers of the judgement and what they say."""

    believed: bool
    reason: str
    """One sentence with the number that decided."""
    turn_sigma: float
    """One-sigma of the camera's turn against its mean over the clip, radians; pi where not measured."""
    place_sigma: float
    """One-sigma of the camera's place, in median distances of the points; infinite where not measured."""
    extent: float
    """How far the camera went from its mean place (largest), in median distances of the points."""
    placed: float
    """Share of the frames placed by what they show."""
    points: int
    error_px: float


@dataclass(frozen=True, eq=False)
class Parts:
    """The map of all tracks, and those of two halves of them; None where one could not be solved."""

    whole: Map | None
    halves: tuple[Map | None, Map | None]


def solve_parts(
    tracks: CornerTracks, lens: PinholeLens, config: PathConfig, *, refine_lens: bool = False
) -> Parts:
    """All tracks, and each half of them alone (the same halves every time)."""
    side = _first_half(tracks, lens, config.seed)
    whole, first, second = (
        map_keyframes(part, lens, config.mapping, config.seed, refine_lens=refine_lens)
        for part in (tracks, tracks.only(side), tracks.only(~side))
    )
    return Parts(whole, (first, second))


def _first_half(tracks: CornerTracks, lens: PinholeLens, seed: int) -> Bool[np.ndarray, " m"]:
    """Which tracks are in the first half: by the block of the picture where they begin, drawn by lot.

    Whole blocks, because what is wrong with tracks (a shadow, a sleeve, a thing that moves) is wrong with their
    neighbours too, and halves drawn track by track would share it.
    """
    first = np.searchsorted(tracks.track, np.arange(int(tracks.track.max(initial=0)) + 1))
    first = np.minimum(first, max(len(tracks.track) - 1, 0))
    column, row = (tracks.xy_px[first] / [lens.width_px, lens.height_px] * _BLOCKS).astype(int).T
    lot = np.random.default_rng(seed).permutation(_BLOCKS.prod()) < _BLOCKS.prod() / 2
    return lot[column.clip(0, _BLOCKS[0] - 1) * _BLOCKS[1] + row.clip(0, _BLOCKS[1] - 1)]


def judge_path(
    found: Map, halves: tuple[Map | None, Map | None], poses: FramePoses, c: JudgeConfig
) -> PathTrust:
    """Compare the halves and count what was placed; see :class:`PathTrust`."""
    far = median_distance(found)
    centres = found.T_map_camera[:, :3, 3]
    extent = float(np.linalg.norm(centres - centres.mean(axis=0), axis=-1).max() / far)
    turn, place = _spread(found, halves, far)
    placed, points = float(poses.placed.mean()), len(found.points_map)
    doubts = {
        f"{placed:.0%} of the frames placed, {c.min_placed:.0%} asked": placed < c.min_placed,
        f"{points} points, {c.min_points} asked": points < c.min_points,
        f"turn unsure by {np.rad2deg(turn):.1f} deg, {c.max_turn_sigma_deg} allowed": turn
        > np.deg2rad(c.max_turn_sigma_deg),
        f"place unsure by {place:.3f} median distances, {c.max_place_sigma} allowed": place
        > c.max_place_sigma,
        f"place unsure by {place:.3f} of a path of {extent:.3f}, {c.max_path_sigma:.0%} allowed": extent
        > c.tiny_path
        and place > c.max_path_sigma * extent,
    }
    against = [reason for reason, holds in doubts.items() if holds]
    reason = (
        "; ".join(against) or f"two halves of the tracks agree to {np.rad2deg(turn):.2f} deg and {place:.3f}"
    )
    return PathTrust(not against, reason, turn, place, extent, placed, points, found.error_px)


def median_distance(found: Map) -> float:
    """Median distance of the points from the camera's mean place, in the map's unit."""
    return float(
        np.median(np.linalg.norm(found.points_map - found.T_map_camera[:, :3, 3].mean(axis=0), axis=-1))
    )


def _spread(found: Map, halves: tuple[Map | None, Map | None], far: float) -> tuple[float, float]:
    """One-sigma of turn (radians) and place (of ``far``) of the whole, from the difference of its halves.

    Halves have twice the variance of the whole and their difference twice theirs: sigma is half of it.
    """
    paths = [_onto(found, other) for other in halves if other is not None and len(other.points_map)]
    if len(paths) < 2:
        return np.pi, np.inf
    both = np.isfinite(paths[0][:, 0, 0]) & np.isfinite(paths[1][:, 0, 0])
    if both.sum() < max(3, len(found.frames) / 2):
        return np.pi, np.inf
    a, b = paths[0][both], paths[1][both]
    turn = rotation_angle(a[:, :3, :3], b[:, :3, :3])
    apart = np.linalg.norm(a[:, :3, 3] - b[:, :3, 3], axis=-1)
    return float(np.sqrt((turn**2).mean()) / 2), float(np.sqrt((apart**2).mean()) / 2 / far)


def _onto(found: Map, other: Map) -> Float64[np.ndarray, "k 4 4"]:
    """Poses of another map of the same room in the frame and unit of this one, NaN where a frame lacks.

    Turn by the mean of the turns, unit by the median distance of the points, place by the mean of the places: a path
    of a few millimetres would not carry a similarity of its own.
    """
    _, mine, theirs = np.intersect1d(found.frames, other.frames, assume_unique=True, return_indices=True)
    out = np.full((len(found.frames), 4, 4), np.nan)
    if len(mine) == 0:
        return out
    T, U = found.T_map_camera[mine], other.T_map_camera[theirs]
    R = rotation_mean(T[:, :3, :3] @ U[:, :3, :3].transpose(0, 2, 1))
    unit = median_distance(found) / max(median_distance(other), 1e-12)
    carried = U.copy()
    carried[:, :3, :3] = R @ U[:, :3, :3]
    centres = unit * U[:, :3, 3] @ R.T
    carried[:, :3, 3] = centres + (T[:, :3, 3] - centres).mean(axis=0)
    out[mine] = carried
    return out
