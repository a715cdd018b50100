"""Every function of the package checks the types and shapes of its arguments and its answer while tests run."""

from __future__ import annotations

import dataclasses
import functools
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
    jaxtyping.jaxtyped = _checked  # what the hook writes above each function and class
    install_import_hook("reenact", f"{__name__}.check")


def _checked(*args: Any, **kwargs: Any) -> Any:
    """`jaxtyped`, whose check of a function is made when that is first called; the hook asks for one of every function
    there is, a millisecond each, and a worker calls few of them."""
    if "typechecker" not in kwargs:
        return jaxtyped(*args, **kwargs)

    def choose(thing: Any) -> Any:
        if inspect.isfunction(thing):
            return _when_first_called(thing)
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = _when_first_called(thing.__init__)  # type: ignore[misc]
            return thing
        return jaxtyped(*args, **kwargs)(thing)

    return choose


def _when_first_called(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which lets itself be checked from its first call on."""
    checked: Callable[..., Any] | None = None

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        nonlocal checked
        if checked is None:
            checked = _where_shapes_are(function)
        return checked(*args, **kwargs)

    return call


def _where_shapes_are(function: Callable[..., Any]) -> Callable[..., Any]:
    """beartype's check; a function that speaks of shapes is called where one name of an axis means one length.

    `jaxtyped` would do the same, but looks at every argument twice, which costs the suite a tenth of its time. It stays
    for hints that name what is not there, which it leaves out, and for generators, whose arguments beartype would look
    at when the first item is asked for.
    """
    try:
        shapes = any("jaxtyping." in repr(hint) for hint in get_type_hints(function).values())
    except NameError:
        return jaxtyped(function, typechecker=check)
    if not shapes:
        return check(function)
    if inspect.isgeneratorfunction(function):
        return jaxtyped(function, typechecker=check)
    checked: Callable[..., Any] = check(function)

    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if jaxtyping.config.jaxtyping_disable:
            return function(*args, **kwargs)
        with jaxtyped("context"):
            return checked(*args, **kwargs)

    return call
