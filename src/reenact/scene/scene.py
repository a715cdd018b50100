"""`Scene`: the bundle of all records of a clip, and how it lies in a folder.

Layout of a scene folder: `clip`, `camera`, `landmarks`, `hands_raw`, `hands`, `objects`, `contacts`, `states`, each as
`<name>.json` + `<name>.safetensors`; only what is known is there.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from reenact.errors import RecordError
from reenact.records import Record, load_record, record_exists, save_record
from reenact.scene.camera import CameraTrack
from reenact.scene.clip import Clip
from reenact.scene.hands import HandLandmarks, HandTracks
from reenact.scene.interaction import ContactTracks, InteractionStates
from reenact.scene.objects import ObjectTracks

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything known about a clip. All tracks share the clip's time axis; absent parts are None."""

    clip: Clip
    camera: CameraTrack
    landmarks: HandLandmarks | None = None
    hands_raw: HandTracks | None = None
    """Per frame, before filling and smoothing: always kept, so that smoothing can be judged."""
    hands: HandTracks | None = None
    objects: ObjectTracks | None = None
    contacts: ContactTracks | None = None
    states: InteractionStates | None = None

    def __post_init__(self) -> None:
        want = len(self.clip.t_ns)
        for name, record in self.parts().items():
            valid = getattr(record, "valid", None)
            if valid is not None and len(valid) != want:
                raise RecordError(f"Scene.{name} has {len(valid)} frames", hint=f"the clip has {want}")
        for name in ("hands_raw", "hands"):
            track = getattr(self, name)
            if track is not None and track.world_frame != self.camera.world_frame:
                raise RecordError(
                    f"Scene.{name} is in frame {track.world_frame!r}",
                    hint=f"the camera says {self.camera.world_frame!r}",
                )

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
            landmarks=_optional(HandLandmarks, folder, "landmarks"),
            hands_raw=_optional(HandTracks, folder, "hands_raw"),
            hands=_optional(HandTracks, folder, "hands"),
            objects=_optional(ObjectTracks, folder, "objects"),
            contacts=_optional(ContactTracks, folder, "contacts"),
            states=_optional(InteractionStates, folder, "states"),
        )


def _optional(cls: type[R], folder: Path, name: str) -> R | None:
    return load_record(cls, folder, name) if record_exists(folder, name) else None
