"""Every function of the package checks the types and shapes of its arguments and its answer while tests run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook, jaxtyped

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""beartype, with an int taken where a float is asked for, as Python's own typing rules say."""


def install() -> None:
    """Put the checker into all modules of the package that are imported from now on."""
    jaxtyping.jaxtyped = _where_shapes_are  # what the hook writes above each function
    install_import_hook("reenact", f"{__name__}.check")


def _where_shapes_are(*args: Any, **kwargs: Any) -> Any:
    """`jaxtyped`, which costs some 50 µs a call, only above functions that speak of shapes; the others get `check`."""
    with_shapes = jaxtyped(*args, **kwargs)
    if "typechecker" not in kwargs:
        return with_shapes

    def choose(thing: Any) -> Any:
        plain = inspect.isfunction(thing) and not _speaks_of_shapes(thing)
        return check(thing) if plain else with_shapes(thing)

    return choose


def _speaks_of_shapes(function: Callable[..., Any]) -> bool:
    """Whether an annotation is one of jaxtyping's, holds one, or names what is not there (yet): `jaxtyped` can wait."""
    try:
        return any("jaxtyping." in repr(hint) for hint in get_type_hints(function).values())
    except NameError:
        return True
