"""`ToyConfig`: everything that decides a toy clip. Same values, same clip."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from reenact.errors import InputError

VIEWS = ("exo", "shoulder", "ego")
MOTIONS = ("static", "orbit", "handheld")


class ToyConfigError(InputError):
    """A toy clip was asked for that cannot be made."""


@dataclass(frozen=True, kw_only=True)
class ToyConfig:
    """One toy clip. Lengths in metres, times in seconds."""

    activity: str = "pick_place"
    """Name of a script in `reenact.toy.activities`."""
    seed: int = 0
    """Decides sizes, places, colours, timing, paths, camera place and light."""
    fps_hz: float = 30.0
    """Frames per second."""
    duration_s: float | None = None
    """Length of the clip; the script is played faster or slower to fit. None: the script's natural length."""
    width_px: int = 640
    """Image width, even (H.264 with yuv420p)."""
    height_px: int = 480
    """Image height, even."""
    view: str = "exo"
    """"exo" looks at the person from the front, down at the table; "shoulder" from behind and above the right
    shoulder; "ego" from between the eyes."""
    camera_motion: str = "static"
    """"static", "orbit" (turns slowly about the table) or "handheld" (smooth seeded shake; a head's sway for ego)."""
    fov_y_deg: float = 46.0
    """Vertical field of view. 46 deg at 4:3 is 59 deg across, a phone's main lens in video mode (55 to 65 deg)."""
    hands: str = "both"
    """"both", "left" or "right": which of the person's hands exist. Scripts for two hands need both."""
    main_side: str = "right"
    """Hand that does the work in scripts for one hand."""
    hand_length: float = 0.189
    """Wrist to middle fingertip along the bones; 0.189 is the adult of `HandSkeleton.adult`."""
    shadows: bool = True
    """Cast shadows (about a third of the rendering time)."""
    samples: int = 4
    """Anti-aliasing samples of the colour picture; depth and masks are never blended."""
    clutter: int = 2
    """Objects that stand on the table and are never touched."""

    def __post_init__(self) -> None:
        self._require(self.view in VIEWS, "view", f"one of {', '.join(VIEWS)}")
        self._require(self.camera_motion in MOTIONS, "camera_motion", f"one of {', '.join(MOTIONS)}")
        self._require(self.hands in ("both", "left", "right"), "hands", "both, left or right")
        self._require(self.main_side in ("left", "right"), "main_side", "left or right")
        self._require(self.width_px % 2 == 0 and self.width_px >= 32, "width_px", "an even number from 32")
        self._require(self.height_px % 2 == 0 and self.height_px >= 32, "height_px", "an even number from 32")
        self._require(0 < self.fps_hz <= 1000, "fps_hz", "above 0, at most 1000")
        self._require(self.duration_s is None or self.duration_s > 0, "duration_s", "positive, or none")
        self._require(10 <= self.fov_y_deg <= 120, "fov_y_deg", "10 to 120")
        self._require(0.12 <= self.hand_length <= 0.26, "hand_length", "0.12 to 0.26 m")
        self._require(
            self.hands in ("both", self.main_side), "hands", f"both, or the main side {self.main_side}"
        )

    def _require(self, condition: bool, field: str, wanted: str) -> None:
        if not condition:
            raise ToyConfigError(
                f"toy clip option {field} is {getattr(self, field)!r}", hint=f"should be {wanted}"
            )

    @staticmethod
    def demo() -> ToyConfig:
        """The clip behind `reenact demo`: two visible hands, one cup picked up and put down, 4 s."""
        return ToyConfig(activity="pick_place", seed=7, duration_s=4.0)

    def replace(self, **changes: object) -> ToyConfig:
        """The same with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
