"""What can go wrong in the action space, by name."""

from __future__ import annotations

from reenact.errors import InputError


class UnknownSlot(InputError):
    """A slot that the specification does not have."""


class MaskedSlot(InputError):
    """A masked number was about to be read: it is not known, and what stands there means nothing."""


class BadActions(InputError):
    """Arrays, instants, robots or slots that do not fit together."""


class CameraUnknown(InputError):
    """Wrists of different instants are to be put in one camera's frame, and how the camera moved is not known."""
