"""What can go wrong with a learned root."""

from __future__ import annotations

import importlib.util

from reenact.errors import InputError, RecordError, SetupError


class NoTorch(SetupError):
    """The extra that brings torch is not installed."""


class NoRootWeights(SetupError):
    """No trained weights fit this robot's arms."""


class BadRootWeights(RecordError):
    """A weights file that does not match its card, or a card that cannot be read."""


class NothingToTrain(InputError):
    """A robot, or a setting, from which no training motion can be made."""


def require_torch() -> None:
    """Raises `NoTorch` unless torch can be imported."""
    if importlib.util.find_spec("torch") is None:
        raise NoTorch(
            "the learned root estimator needs torch, which is not installed",
            hint="pip install 'reenact[learn]', or use root method 'search', which needs nothing more",
        )
