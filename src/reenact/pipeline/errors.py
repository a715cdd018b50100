"""What can go wrong with a pipeline itself, by name. Failures of stages keep their own names."""

from __future__ import annotations

import errno

from reenact.errors import InputError, ReenactError, SetupError


class PipelineError(ReenactError):
    """Base of mistakes in how stages were put together."""


class UnkeyableError(PipelineError):
    """A config holds a value that has no single text form, so that no content key can be made of it."""


class StageGraphError(PipelineError):
    """Stages that do not fit together: unknown input, same name twice, a circle, an unknown stage asked for."""


class StageOutputError(PipelineError):
    """A stage returned without having written anything, or wrote what is not its own to write."""


class ItemError(InputError):
    """An item that cannot be run: unusable id, missing source, same id twice."""


class StoreError(SetupError):
    """The artefact store cannot be used."""


class DiskFullError(StoreError):
    """No space (or quota) is left where artefacts are written."""


class NoPermissionError(StoreError):
    """The store's folder may not be written."""


class WorkerStartError(SetupError):
    """Worker processes end before they are ready."""


FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def store_error(error: OSError, place: object) -> StoreError:
    """The named form of an operating-system error met while writing to the store."""
    if error.errno in FULL:
        return DiskFullError(
            f"no space left on the disk of {place}", hint="free some space; finished stages are kept"
        )
    if error.errno in FORBIDDEN:
        return NoPermissionError(
            f"not allowed to write {place}", hint="choose another folder or change its mode"
        )
    return StoreError(f"cannot write {place}: {error.strerror or error}", hint="check the folder")
