"""Every function of the package checks the types and shapes of its arguments and its answer while tests run."""

from __future__ import annotations

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""beartype, with an int taken where a float is asked for, as Python's own typing rules say."""


def install() -> None:
    """Put the checker into all modules of the package that are imported from now on."""
    install_import_hook("reenact", f"{__name__}.check")
