"""All steps in order: landmarks and camera of a clip in, raw and refined metric hand tracks out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64, UInt8

from reenact.errors import InputError
from reenact.hands.joints import SIDES
from reenact.hands.skeleton import ADULT_HAND_LENGTH
from reenact.refine.hands.chain import HandChain, HandReconstructionConfig
from reenact.refine.hands.gate import count_reasons
from reenact.scene import CameraTrack, HandLandmarks, HandTracks, Source


class TracksDisagree(InputError):
    """Landmarks, camera and times are not of one clip, or a hand length is not a hand's."""


@dataclass(frozen=True)
class HandReconstruction:
    """Two tracks of the same hands, and what happened on the way."""

    raw: HandTracks
    """Every frame fitted by itself, valid wherever the net saw a hand. Always kept."""
    refined: HandTracks
    """Gated, filled, limited, smoothed."""
    reasons: UInt8[np.ndarray, "t s=2"]
    """`GateReason` of every hand and frame."""
    diagnostics: dict[str, object]
    """JSON-able: counts of reasons per side, filled frames, angles moved by the limits."""


def reconstruct_hands(
    landmarks: HandLandmarks,
    camera: CameraTrack,
    t_ns: Int64[np.ndarray, " t"],
    config: HandReconstructionConfig | None = None,
) -> HandReconstruction:
    """Metric hands in the camera track's frame (its `world_frame`). Frames whose camera has no place there count as
    frames without hands.

    Raises:
        TracksDisagree: landmarks, camera and times differ in length; or `hand_length` is not within 0.08..0.30 m.
    """
    config = config or HandReconstructionConfig()
    length = _checked(landmarks, camera, t_ns, config)
    if not camera.view_known.all():
        landmarks = replace(landmarks, valid=landmarks.valid & camera.view_known[:, None])
    chain = HandChain(landmarks, camera, (t_ns - t_ns[0]) * 1e-9, length, config)
    fitted, settled, on_path = zip(*(chain.fit(side) for side in range(2)), strict=True)
    raw = chain.tracks(list(fitted), as_read=False)
    reasons = chain.gate(list(settled), list(on_path))
    refined, by_side, moved = zip(
        *(chain.refine(s, settled[s], reasons[:, s]) for s in range(2)), strict=True
    )
    tracks, reasons = chain.tracks(list(refined), as_read=True), np.stack(by_side, axis=1)
    diagnostics: dict[str, object] = {
        "reasons": count_reasons(reasons),
        "filled_frames": {n: int((tracks.source[:, s] == Source.FILLED).sum()) for s, n in enumerate(SIDES)},
        "fingers_reversed": {n: int(chain.backwards[:, s].sum()) for s, n in enumerate(SIDES)},
        "limited_share": {n: round(float(moved[s]), 4) for s, n in enumerate(SIDES)},
        "hand_length": length,
    }
    return HandReconstruction(raw=raw, refined=tracks, reasons=reasons, diagnostics=diagnostics)


def _checked(
    landmarks: HandLandmarks, camera: CameraTrack, t_ns: np.ndarray, config: HandReconstructionConfig
) -> float:
    n = len(landmarks.valid)
    if not n == len(camera.valid) == len(t_ns):
        raise TracksDisagree(f"{n} frames of landmarks, {len(camera.valid)} of camera, {len(t_ns)} times")
    if np.any(np.diff(t_ns) <= 0):
        raise TracksDisagree("times do not rise", hint="t_ns of the clip, strictly increasing")
    length = ADULT_HAND_LENGTH if config.hand_length is None else config.hand_length
    if not 0.08 <= length <= 0.30:
        raise TracksDisagree(
            f"hand length {length} m", hint="metres from wrist to middle fingertip: 0.08 to 0.30"
        )
    return length
