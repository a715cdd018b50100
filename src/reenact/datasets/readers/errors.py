"""What can go wrong when somebody else's data are read; every refusal has a name."""

from __future__ import annotations

from reenact.errors import InputError, SetupError


class UnknownFormat(InputError):
    """No reader recognises the path, or several do."""


class DamagedSource(InputError):
    """The files are of the format but break its own layout: a shape, a count, a missing part."""


class UnitUnsure(InputError):
    """Sizes fit no human hand or room in the unit that the format promises."""


class LensUnsure(InputError):
    """The lens in the files is not that of the images, or none is given."""


class ForbiddenPickle(InputError):
    """A pickle asks for something other than arrays, numbers, words and plain containers."""


class NeedsHandModel(SetupError):
    """Only MANO parameters are there; joints need the licensed MANO model."""
