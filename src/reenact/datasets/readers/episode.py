"""What every reader yields: `HumanEpisode` or `RobotEpisode`, with where each thing came from.

A human episode holds the scene records as far as the source fills them, in our frames (metres; `world` is +Z up,
`camera0` is the first camera's axes where up is not known). What the source does not say stays None or invalid.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.datasets.readers.errors import DamagedSource, NeedsHandModel
from reenact.errors import RecordError
from reenact.records import Record
from reenact.scene import CameraTrack, Clip, HandTracks, ObjectTracks, Scene

FRAME_INDEX_ONLY = "frame index only"
"""`time_source` of sets that give neither times nor a rate; `t_ns` then counts frames, one nanosecond each."""


@dataclass(frozen=True)
class Licence:
    """Terms of a data set, as its authors state them; a note for people, not legal advice."""

    name: str
    """SPDX id where there is one."""
    commercial: bool | None
    """None: not said."""
    redistribution: bool | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where an episode came from and what was done to it at the door."""

    format: str
    source: str
    """File or folder name within the data set, without the machine's path."""
    version: str
    """Format version as found, or "" where the files name none."""
    licence: Licence
    joint_order: str = ""
    """Order of the source's hand joints, before translation to OpenPose-21."""
    fingertips: str = ""
    """Which points the source calls fingertips (vertex set, landmark); "unknown" where it does not say."""
    translated: tuple[str, ...] = ()
    """Each change of frame, order or unit, in plain words."""
    unknown: tuple[str, ...] = ()
    """What the source does not tell."""


@dataclass(frozen=True)
class Instruction:
    """Words about frames [first, end)."""

    text: str
    first: int
    end: int
    side: str = ""
    """"left", "right", or "" for the whole person."""


@dataclass(frozen=True)
class Images:
    """Where pictures lie. Paths are as given by the caller's root; nothing is decoded here."""

    path: str
    width_px: int = 0
    """0: not said."""
    height_px: int = 0
    start_s: float = 0.0
    """Where the episode begins in a video that several episodes share."""
    sha256: str = ""
    """Content hash of the file, where the source tells it; a file of the same name elsewhere is then known by it."""


@dataclass(frozen=True, kw_only=True)
class PoseTrack(Record):
    """A rigid thing over time, e.g. a head."""

    SCHEMA = "reenact.pose_track"

    frame: str
    """What the axes mean, e.g. "x right, y down, z forward"."""
    T_world_frame: Float64[np.ndarray, "t 4 4"]
    valid: Bool[np.ndarray, " t"]

    def check(self) -> None:
        self.require_transforms("T_world_frame")


@dataclass(frozen=True, kw_only=True)
class PartialHands(Record):
    """Hands of which a source gives some joints only, or says per joint how sure it is, or how the wrist turns."""

    SCHEMA = "reenact.partial_hands"

    joints_world: Float64[np.ndarray, "t s=2 j=21 3"]
    joint_valid: Bool[np.ndarray, "t s=2 j=21"]
    joint_confidence: Float64[np.ndarray, "t s=2 j=21"]
    T_world_wrist: Float64[np.ndarray, "t s=2 4 4"]
    """The source's own wrist frame, described by `wrist_frame`; not METIS's."""
    wrist_valid: Bool[np.ndarray, "t s=2"]
    wrist_frame: str

    def check(self) -> None:
        self.require_fraction("joint_confidence")
        self.require_transforms("T_world_wrist")


@dataclass(frozen=True, kw_only=True)
class ManoParameters(Record):
    """MANO numbers, kept for whoever has the licensed model. In the source's own frame: the root turns about a joint
    whose place only the model knows, so translations cannot be moved without it; `T_world_source` maps the result."""

    SCHEMA = "reenact.mano_parameters"

    R_source_root: Float64[np.ndarray, "t s=2 3 3"]
    R_joints: Float64[np.ndarray, "t s=2 15 3 3"]
    """Relative rotations in MANO's joint order (index, middle, pinky, ring, thumb)."""
    translation: Float64[np.ndarray, "t s=2 3"]
    betas: Float64[np.ndarray, "t s=2 10"]
    valid: Bool[np.ndarray, "t s=2"]
    T_world_source: Float64[np.ndarray, "t 4 4"]
    left_model: str
    """"left" (MANO_LEFT) or "mirrored right" (MANO_RIGHT, result mirrored in x)."""
    flat_hand_mean: str
    """"yes", "no" or "unknown": whether the rotations are from the flat hand or from MANO's mean pose."""

    def check(self) -> None:
        self.require_choice("left_model", ("left", "mirrored right", "none"))
        self.require_choice("flat_hand_mean", ("yes", "no", "unknown"))


@dataclass(frozen=True, kw_only=True)
class HumanEpisode:
    """A person's hands, head and objects over t frames."""

    episode_id: str
    t_ns: Int64[np.ndarray, " t"]
    """Strictly rising, from the first frame's 0."""
    time_source: str
    """"recorded", "nominal rate" (the data set's stated rate) or `FRAME_INDEX_ONLY`."""
    fps_hz: float | None
    """Median rate; None where unknown."""
    world_frame: str
    """"world" or "camera0" (or "source" where neither up nor a camera is known: the set's own axes, unchanged)."""
    provenance: Provenance
    task: str = ""
    instructions: tuple[Instruction, ...] = ()
    camera: CameraTrack | None = None
    hands: HandTracks | None = None
    partial: PartialHands | None = None
    mano: ManoParameters | None = None
    objects: ObjectTracks | None = None
    head: PoseTrack | None = None
    images: tuple[Images, ...] = ()
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    """Numbers that fit no record (articulation angles, raw counters), by a name with its unit."""

    def __post_init__(self) -> None:
        t = len(self.t_ns)
        if t == 0 or (np.diff(self.t_ns) <= 0).any():
            raise DamagedSource(f"episode {self.episode_id!r}: times do not rise strictly over {t} frames")
        for name in ("camera", "hands", "objects", "head"):
            record = getattr(self, name)
            if record is not None and len(record.valid) != t:
                raise DamagedSource(
                    f"{self.episode_id!r}.{name} has {len(record.valid)} frames", hint=f"{t} expected"
                )
        for name in ("camera", "hands"):
            record = getattr(self, name)
            if record is not None and record.world_frame != self.world_frame:
                raise RecordError(f"{name} is in {record.world_frame!r}, the episode in {self.world_frame!r}")

    def joints(self) -> HandTracks:
        """The 21-joint hands.

        Raises:
            NeedsHandModel: the source gives MANO parameters only.
            DamagedSource: the source gives no hands at all.
        """
        if self.hands is not None:
            return self.hands
        if self.mano is not None:
            raise NeedsHandModel(
                f"{self.provenance.format} gives MANO parameters for {self.episode_id!r}, not joints",
                hint="run them through your licensed MANO model and add the joints (see docs/datasets.md)",
            )
        raise DamagedSource(f"{self.episode_id!r} ({self.provenance.format}) holds no 21-joint hands")

    def scene(self) -> Scene:
        """As a scene, where a camera is known; raises `DamagedSource` otherwise."""
        if self.camera is None:
            raise DamagedSource(
                f"{self.episode_id!r} has no camera", hint="a scene needs one; use the tracks as they are"
            )
        step = int(np.median(np.diff(self.t_ns))) if len(self.t_ns) > 1 else 33_333_333
        clip = Clip(
            clip_id=self.episode_id,
            source_name=self.provenance.source,
            source_sha256="",
            width_px=self.camera.width_px,
            height_px=self.camera.height_px,
            rotation_deg=0,
            nominal_fps_hz=self.fps_hz or 1e9 / step,
            t_ns=self.t_ns,
            end_ns=int(self.t_ns[-1]) + step,
            source_frame_idx=np.arange(len(self.t_ns)),
        )
        return Scene(clip=clip, camera=self.camera, hands=self.hands, objects=self.objects)


@dataclass(frozen=True, kw_only=True)
class RobotEpisode:
    """A robot's state and commands over t frames."""

    episode_id: str
    robot_type: str
    t_ns: Int64[np.ndarray, " t"]
    fps_hz: float
    state_names: tuple[str, ...]
    state: Float64[np.ndarray, "t n"]
    action_names: tuple[str, ...]
    action: Float64[np.ndarray, "t m"] | None
    """None where the source holds motion only, no commands."""
    provenance: Provenance
    task: str = ""
    cameras: dict[str, Images] = field(default_factory=dict)
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    """Every other per-frame column, by its own name."""

    def __post_init__(self) -> None:
        t = len(self.t_ns)
        if t == 0 or (np.diff(self.t_ns) <= 0).any():
            raise DamagedSource(f"episode {self.episode_id!r}: times do not rise strictly over {t} frames")
        for name in ("state", "action"):
            values, names = getattr(self, name), getattr(self, f"{name}_names")
            if values is None:
                continue
            if values.shape != (t, len(names)):
                raise DamagedSource(
                    f"{self.episode_id!r}.{name} has shape {values.shape}",
                    hint=f"{t} frames of {len(names)} names",
                )
            if not np.isfinite(values).all():
                raise DamagedSource(f"{self.episode_id!r}.{name} holds NaN or infinity")
            values.setflags(write=False)


Episode = HumanEpisode | RobotEpisode
