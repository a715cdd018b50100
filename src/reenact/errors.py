"""The named errors of the whole package, and the exit codes the command line gives them.

May be imported by every room; imports nothing of ours. Rooms subclass one of the four families below
and say in the message what was wrong (with the actual value) and in ``hint`` what would be right.
"""

from __future__ import annotations

from typing import ClassVar


class ReenactError(Exception):
    """Base of every error a user may meet. ``hint`` says what to do about it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InputError(ReenactError):
    """The user's input cannot be used: no such file, not a video, unknown robot, bad option."""

    exit_code = 3


class SetupError(ReenactError):
    """The machine lacks something: a missing extra, no GL, no disk space, no model file."""

    exit_code = 4


class NoResultError(ReenactError):
    """The input was fine but holds nothing to work on: no hands found, no segment kept."""

    exit_code = 5


class RecordError(ReenactError):
    """A record that may not exist: wrong shape, dtype, not finite, not orthonormal, unknown version."""

    exit_code = 6
