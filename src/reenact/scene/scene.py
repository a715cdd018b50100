"""`Scene`: the bundle of all records of a clip, and how it lies in a folder.

Layout of a scene folder: each field of `Scene` that is known, as `<name>.json` + `<name>.safetensors`. The pixels of
`depth` and `masks` are volumes of their own (`depth.h5`, `masks.h5`) beside them and are not loaded here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from reenact.errors import RecordError
from reenact.records import Record, load_record, record_exists, save_record
from reenact.scene.camera import CameraTrack
from reenact.scene.camera_path import CameraPath
from reenact.scene.clip import Clip
from reenact.scene.depth import DepthFrames
from reenact.scene.found import FoundObjects
from reenact.scene.hands import HandLandmarks, HandTracks
from reenact.scene.interaction import ContactPlaces, ContactTracks, InteractionStates
from reenact.scene.masks import MaskTracks
from reenact.scene.objects import ObjectTracks, PoseCovariance
from reenact.scene.points import PointTracks
from reenact.scene.scales import MetricScales
from reenact.scene.shapes import ObjectShapes
from reenact.scene.support import SupportPlane

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything known about a clip. All tracks share the clip's time axis; absent parts are None."""

    clip: Clip
    camera: CameraTrack
    camera_path: CameraPath | None = None
    """How the path of a moving camera was found; None for one that stands still or whose path is unknown."""
    landmarks: HandLandmarks | None = None
    hands_raw: HandTracks | None = None
    """Per frame, before filling and smoothing: always kept, so that smoothing can be judged."""
    hands: HandTracks | None = None
    hands_depth: HandTracks | None = None
    """At the distance that measured depth gives them, where there is any; else as `hands`."""
    hands_interaction: HandTracks | None = None
    """Adjusted together with the objects they touch; as `hands` in other respects."""
    found: FoundObjects | None = None
    masks: MaskTracks | None = None
    points: PointTracks | None = None
    depth: DepthFrames | None = None
    scales: MetricScales | None = None
    """What made metres of depth, and what depth made of the hands' size."""
    support: SupportPlane | None = None
    shapes: ObjectShapes | None = None
    objects_raw: ObjectTracks | None = None
    """As perceived frame by frame, before interaction-aware refinement."""
    objects: ObjectTracks | None = None
    pose_covariance: PoseCovariance | None = None
    """Of `objects_raw`."""
    refined_covariance: PoseCovariance | None = None
    """Of `objects`, then of the hands' middles ("left hand", "right hand") in `hands_interaction`."""
    contacts: ContactTracks | None = None
    contact_places: ContactPlaces | None = None
    states: InteractionStates | None = None
    ego: CameraTrack | None = None
    """A virtual camera at the person's eyes (`reenact.reframe`); `intrinsics_source` is "virtual"."""

    def __post_init__(self) -> None:
        want = len(self.clip.t_ns)
        for name, record in self.parts().items():
            valid = getattr(record, "valid", None)
            if isinstance(valid, np.ndarray) and len(valid) != want:
                raise RecordError(f"Scene.{name} has {len(valid)} frames", hint=f"the clip has {want}")
        for name in ("hands_raw", "hands", "hands_depth", "hands_interaction", "ego"):
            track = getattr(self, name)
            if track is not None and track.world_frame != self.camera.world_frame:
                raise RecordError(
                    f"Scene.{name} is in frame {track.world_frame!r}",
                    hint=f"the camera says {self.camera.world_frame!r}",
                )

    @property
    def last_hands(self) -> HandTracks | None:
        """Hands as adjusted together with the objects, else as put right by depth, else as reconstructed."""
        return self.hands_interaction or self.hands_depth or self.hands

    def parts(self) -> dict[str, Record]:
        """The records that are there, by name."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: record for name, record in values.items() if record is not None}

    def save(self, folder: Path) -> None:
        """Write every part into the folder."""
        for name, record in self.parts().items():
            save_record(record, folder, name)

    @staticmethod
    def load(folder: Path) -> Scene:
        """Read a scene folder; raises `RecordError` when clip or camera are absent or a part is damaged."""
        return Scene(
            clip=load_record(Clip, folder, "clip"),
            camera=load_record(CameraTrack, folder, "camera"),
            camera_path=_optional(CameraPath, folder, "camera_path"),
            landmarks=_optional(HandLandmarks, folder, "landmarks"),
            hands_raw=_optional(HandTracks, folder, "hands_raw"),
            hands=_optional(HandTracks, folder, "hands"),
            hands_depth=_optional(HandTracks, folder, "hands_depth"),
            hands_interaction=_optional(HandTracks, folder, "hands_interaction"),
            found=_optional(FoundObjects, folder, "found"),
            masks=_optional(MaskTracks, folder, "masks"),
            points=_optional(PointTracks, folder, "points"),
            depth=_optional(DepthFrames, folder, "depth"),
            scales=_optional(MetricScales, folder, "scales"),
            support=_optional(SupportPlane, folder, "support"),
            shapes=_optional(ObjectShapes, folder, "shapes"),
            objects_raw=_optional(ObjectTracks, folder, "objects_raw"),
            objects=_optional(ObjectTracks, folder, "objects"),
            pose_covariance=_optional(PoseCovariance, folder, "pose_covariance"),
            refined_covariance=_optional(PoseCovariance, folder, "refined_covariance"),
            contacts=_optional(ContactTracks, folder, "contacts"),
            contact_places=_optional(ContactPlaces, folder, "contact_places"),
            states=_optional(InteractionStates, folder, "states"),
            ego=_optional(CameraTrack, folder, "ego"),
        )


def _optional(cls: type[R], folder: Path, name: str) -> R | None:
    return load_record(cls, folder, name) if record_exists(folder, name) else None
