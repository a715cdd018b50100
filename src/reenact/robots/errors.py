"""Named errors of this room."""

from __future__ import annotations

from reenact.errors import InputError


class SheetError(InputError):
    """A robot sheet (or the model file it points to) says something that cannot be."""


class UnknownRobotError(InputError):
    """No robot of that name, and no sheet file at that path."""


class ModelFileError(InputError):
    """A user's MJCF or URDF file cannot be turned into a MuJoCo model."""
