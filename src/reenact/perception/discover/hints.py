"""What the user says about objects: boxes and clicks with labels, as text on the command line and as checked values."""

from __future__ import annotations

from dataclasses import dataclass

from reenact.errors import InputError


class BadObjectHint(InputError):
    """A box or click that cannot be read or does not lie in the clip."""


@dataclass(frozen=True)
class ObjectBox:
    """A box around a thing in one frame; pixels of the video's full upright size."""

    frame: int
    """Index of the clip's frame, from 0; negative ones count from the end."""
    x0_px: float
    y0_px: float
    x1_px: float
    y1_px: float
    label: str = ""
    """What the thing is called."""

    @staticmethod
    def parse(text: str) -> ObjectBox:
        """From FRAME,X0,Y0,X1,Y1[,LABEL]."""
        frame, numbers, label = _split(text, 4, "FRAME,X0,Y0,X1,Y1[,LABEL]", "12,300,180,420,330,red cup")
        x0, y0, x1, y1 = numbers
        return ObjectBox(frame, x0, y0, x1, y1, label)

    def check(self, frames: int, width_px: int, height_px: int) -> None:
        """Raises BadObjectHint unless it lies in a clip of that many frames and that size."""
        _check_frame(self.frame, frames)
        x0, y0, x1, y1 = self.x0_px, self.y0_px, self.x1_px, self.y1_px
        if x1 <= x0 or y1 <= y0:
            raise BadObjectHint(
                f"object box {x0:g},{y0:g},{x1:g},{y1:g} is empty", hint="X0 < X1 and Y0 < Y1, pixels"
            )
        if x0 < -0.5 or y0 < -0.5 or x1 > width_px or y1 > height_px:
            raise BadObjectHint(
                f"object box {x0:g},{y0:g},{x1:g},{y1:g} leaves the picture",
                hint=f"the frames are {width_px} x {height_px} pixels",
            )
        if min(x1 - x0, y1 - y0) < 0.008 * height_px:
            raise BadObjectHint(
                f"object box {x0:g},{y0:g},{x1:g},{y1:g} is too small to follow",
                hint=f"at least {0.008 * height_px:.0f} pixels across in frames of {width_px} x {height_px}",
            )


@dataclass(frozen=True)
class ObjectClick:
    """A point on a thing in one frame; pixels of the video's full upright size."""

    frame: int
    """Index of the clip's frame, from 0; negative ones count from the end."""
    x_px: float
    y_px: float
    label: str = ""
    """What the thing is called."""

    @staticmethod
    def parse(text: str) -> ObjectClick:
        """From FRAME,X,Y[,LABEL]."""
        frame, numbers, label = _split(text, 2, "FRAME,X,Y[,LABEL]", "12,360,250,red cup")
        x, y = numbers
        return ObjectClick(frame, x, y, label)

    def check(self, frames: int, width_px: int, height_px: int) -> None:
        """Raises BadObjectHint unless it lies in a clip of that many frames and that size."""
        _check_frame(self.frame, frames)
        if not (-0.5 <= self.x_px < width_px and -0.5 <= self.y_px < height_px):
            raise BadObjectHint(
                f"object click {self.x_px:g},{self.y_px:g} lies outside the picture",
                hint=f"the frames are {width_px} x {height_px} pixels",
            )


def _check_frame(frame: int, frames: int) -> None:
    if not -frames <= frame < frames:
        raise BadObjectHint(f"object hint for frame {frame}", hint=f"the clip has frames 0 to {frames - 1}")


def _split(text: str, count: int, form: str, example: str) -> tuple[int, list[float], str]:
    parts = text.split(",", count + 1)
    hint = f"it should be {form}, for example {example}"
    if len(parts) < count + 1:
        raise BadObjectHint(f"object hint {text!r} has {len(parts)} parts", hint=hint)
    try:
        frame = int(parts[0])
        numbers = [float(part) for part in parts[1 : count + 1]]
    except ValueError as error:
        raise BadObjectHint(f"object hint {text!r} has something that is no number", hint=hint) from error
    if not all(abs(value) < 1e6 for value in numbers):
        raise BadObjectHint(f"object hint {text!r} has a number out of range", hint=hint)
    return frame, numbers, parts[count + 1].strip() if len(parts) > count + 1 else ""
