"""All settings of the MediaPipe hand backend, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reenact.perception.hands.cuts import CutConfig
from reenact.perception.hands.identity import IdentityConfig
from reenact.perception.hands.nets import RunnerName
from reenact.perception.hands.plausible import PlausibleConfig
from reenact.perception.hands.runs import RunConfig
from reenact.perception.hands.tiles import TileConfig
from reenact.perception.hands.tracker import TrackerConfig


@dataclass(frozen=True)
class MediaPipeHandsConfig:
    """Everything that changes the result of :class:`~.mediapipe_litert.MediaPipeHands`."""

    cache_dir: Path | None = None
    """Folder of the two model files; None = the platform's user cache."""
    runner: RunnerName = "auto"
    """litert, opencv, or auto (litert if installed)."""
    threads: int = 1
    """Threads of the nets (LiteRT only)."""
    mirrored: bool = False
    """The video is a selfie view (left and right exchanged)."""
    min_palm_score: float = 0.5
    """Palm net's score threshold (MediaPipe's)."""
    palm_nms_iou: float = 0.3
    """Overlap above which palm boxes are merged (MediaPipe's)."""
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    """Following hands from frame to frame."""
    tiles: TileConfig = field(default_factory=TileConfig)
    """Searching enlarged parts of the frame."""
    plausible: PlausibleConfig = field(default_factory=PlausibleConfig)
    """Limits of what may be a hand."""
    cuts: CutConfig = field(default_factory=CutConfig)
    """Where a track may have changed hands."""
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    """Left or right, decided over the clip."""
    runs: RunConfig = field(default_factory=RunConfig)
    """Which runs are too weak to be hands."""
