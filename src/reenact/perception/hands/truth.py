"""The truth backend: known joints, projected, with noise of stated size, so that later stages can be measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from reenact.errors import InputError
from reenact.geometry.transforms import apply, inverse
from reenact.perception.hands.contract import Frame
from reenact.perception.hands.frames import checked_frames
from reenact.scene import CameraTrack, HandLandmarks, HandTracks, Source

_ORIGIN_JOINT = 9
"""The net's relative landmarks have their origin near the middle knuckle."""


class TruthMismatch(InputError):
    """The truth's parts, or the truth and the frames, do not belong together."""


@dataclass(frozen=True)
class TruthHandsConfig:
    """The noise put on the truth; all zero by default."""

    seed: int = 0
    """Seed of everything random here."""
    bias_px: float = 0.0
    """Constant shift of each joint and side over the clip: 1-sigma per axis, pixels."""
    jitter: float = 0.0
    """White noise per joint and frame: 1-sigma per axis, as a fraction of the hand box (MediaPipe: about 0.01)."""
    rel_jitter: float = 0.0
    """White noise of the relative landmarks: 1-sigma per axis, metres."""
    rel_scale: float = 1.0
    """Factor on the relative landmarks: the net's prior is not the hand's size (0.7-1.0 in grasps)."""
    dropout: float = 0.0
    """Fraction of frames lost, for each hand on its own, 0..1."""
    dropout_run_frames: float = 5.0
    """Mean length of a loss, frames."""
    swap: float = 0.0
    """Fraction of frames in which left and right are exchanged, 0..1."""
    swap_run_frames: float = 3.0
    """Mean length of an exchange, frames."""
    min_joints_inside: int = 8
    """Joints that must project into the picture for the hand to be found."""


class TruthHands:
    """Hand landmarks from a scene whose hands and camera are known. Pixels of the frames are not looked at."""

    name = "truth"
    licence = "none"

    def __init__(
        self, hands: HandTracks, camera: CameraTrack, config: TruthHandsConfig | None = None
    ) -> None:
        """Raises TruthMismatch if the two tracks differ in length or frame of reference."""
        if hands.world_frame != camera.world_frame:
            raise TruthMismatch(f"hands are in {hands.world_frame!r}, the camera in {camera.world_frame!r}")
        if len(hands.valid) != len(camera.valid):
            raise TruthMismatch(f"{len(hands.valid)} frames of hands, {len(camera.valid)} of the camera")
        self.config = config or TruthHandsConfig()
        self._hands, self._camera = hands, camera
        self._diagnostics: dict[str, Any] = {}

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """How many hands were lost outside the picture, dropped, and swapped."""
        return self._diagnostics

    def detect(self, frames: Iterable[Frame]) -> HandLandmarks:
        """The noisy truth; the frames are only counted.

        Raises:
            TruthMismatch: another number of frames than the truth has.
        """
        count = sum(1 for _ in checked_frames(frames))
        if count != len(self._hands.valid):
            raise TruthMismatch(f"{count} frames given, the truth has {len(self._hands.valid)}")
        return self.landmarks()

    def landmarks(self) -> HandLandmarks:
        """The same without frames."""
        rng = np.random.default_rng(self.config.seed)
        points_camera, points_px, seen = self._projected()
        points_px = points_px + self._pixel_noise(points_px, rng)
        rel = self._relative(points_camera, rng)
        frame_count = len(seen)
        dropped = np.stack(
            [
                markov_runs(frame_count, self.config.dropout, self.config.dropout_run_frames, rng)
                for _ in (0, 1)
            ],
            axis=1,
        )
        swapped = markov_runs(frame_count, self.config.swap, self.config.swap_run_frames, rng)
        valid = seen & ~dropped
        self._diagnostics = {
            "frames": frame_count,
            "hands_out_of_view": int((self._hands.valid & ~seen).sum()),
            "hands_dropped": int((seen & dropped).sum()),
            "frames_swapped": int(swapped.sum()),
        }
        order = np.where(swapped[:, None], [1, 0], [0, 1])
        rows = np.arange(frame_count)[:, None]
        return self._record(points_px[rows, order], rel[rows, order], valid[rows, order])

    def _projected(
        self,
    ) -> tuple[Float[np.ndarray, "t 2 21 3"], Float[np.ndarray, "t 2 21 2"], Bool[np.ndarray, "t 2"]]:
        camera = self._camera.camera()
        T_camera_world = inverse(self._camera.T_world_camera)
        points_camera = apply(T_camera_world[:, None], self._hands.joints_world)
        in_front = camera.in_front(points_camera)
        safe = np.where(in_front[..., None], points_camera, np.array([0.0, 0.0, 1.0]))
        points_px = camera.project(safe)
        inside = camera.in_image(points_px) & in_front
        enough = inside.sum(axis=-1) >= self.config.min_joints_inside
        seen = self._hands.valid & self._camera.valid[:, None] & in_front.all(axis=-1) & enough
        return points_camera, points_px, seen

    def _pixel_noise(
        self, points_px: Float[np.ndarray, "t 2 21 2"], rng: np.random.Generator
    ) -> Float[np.ndarray, "t 2 21 2"]:
        box = (points_px.max(axis=2) - points_px.min(axis=2)).max(axis=-1)
        jitter = rng.normal(size=points_px.shape) * (self.config.jitter * box[..., None, None])
        bias = rng.normal(size=(1, *points_px.shape[1:])) * self.config.bias_px
        return jitter + bias

    def _relative(
        self, points_camera: Float[np.ndarray, "t 2 21 3"], rng: np.random.Generator
    ) -> Float[np.ndarray, "t 2 21 3"]:
        rel = points_camera - points_camera[:, :, _ORIGIN_JOINT : _ORIGIN_JOINT + 1]
        return rel * self.config.rel_scale + rng.normal(size=rel.shape) * self.config.rel_jitter

    def _record(
        self,
        points_px: Float[np.ndarray, "t 2 21 2"],
        rel: Float[np.ndarray, "t 2 21 3"],
        valid: Bool[np.ndarray, "t 2"],
    ) -> HandLandmarks:
        mask = valid[..., None, None]
        noisy = self.config != TruthHandsConfig(
            seed=self.config.seed, min_joints_inside=self.config.min_joints_inside
        )
        code = Source.OBSERVED if noisy else Source.TRUTH
        return HandLandmarks(
            landmarks_px=np.where(mask, points_px, 0.0),
            landmarks_rel=np.where(mask, rel, 0.0),
            valid=valid,
            confidence=valid.astype(np.float64),
            source=np.where(valid, np.uint8(code), np.uint8(Source.UNKNOWN)),
            backend=self.name,
            licence=self.licence,
        )


def markov_runs(
    count: int, fraction: float, mean_run: float, rng: np.random.Generator
) -> Bool[np.ndarray, " t"]:
    """A random on/off row that is on for ``fraction`` of the time, in runs of ``mean_run`` on average."""
    if not 0.0 <= fraction <= 1.0:
        raise TruthMismatch(f"the fraction {fraction} is not in 0..1")
    draws = rng.random(count)
    if fraction in (0.0, 1.0):
        return np.full(count, bool(fraction))
    stop = min(1.0, 1.0 / max(mean_run, 1.0))
    start = min(1.0, stop * fraction / (1.0 - fraction))
    result = np.zeros(count, dtype=bool)
    on = bool(rng.random() < fraction)
    for i, draw in enumerate(draws):
        on = draw >= stop if on else draw < start
        result[i] = on
    return result
