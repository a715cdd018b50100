"""Which offscreen GL this machine can give: probed at run time, never read from ``MUJOCO_GL``.

MuJoCo's own renderer decides at import time from an environment variable, so a library using it would have
to set variables behind its user's back. Here the system libraries are asked directly (through ctypes, before
PyOpenGL binds to one platform for the life of the process), and the matching MuJoCo context class is used.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import importlib
import os
import platform
from dataclasses import dataclass
from typing import Any

from reenact.errors import SetupError

EGL_PLATFORM_DEVICE_EXT = 0x313F
"""Token of EGL_EXT_platform_device (Khronos registry)."""

_OSMESA_NAMES = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")


class NoGlError(SetupError):
    """Neither EGL nor OSMesa can make a context here, so no picture can be rendered."""


@dataclass(frozen=True)
class GlBackend:
    """A usable way to render offscreen."""

    name: str
    """``egl``, ``osmesa``, ``cgl`` (macOS) or ``glfw`` (Windows)."""
    context_class: type[Any]
    """MuJoCo's context class; called as ``context_class(width_px, height_px)``."""


@functools.lru_cache(maxsize=1)
def choose_backend() -> GlBackend:
    """The first backend that really works: EGL, then OSMesa (Linux); the system's own elsewhere.

    The answer is kept for the process: PyOpenGL cannot change its platform once loaded.

    Raises:
        NoGlError: nothing works; the message says what each candidate lacked.
    """
    reasons: list[str] = []
    for name, problem in _candidates():
        if not problem:
            try:
                return GlBackend(name, _load_context_class(name))
            except (ImportError, AttributeError, OSError) as err:
                problem = str(err)
        reasons.append(f"{name}: {problem}")
    raise NoGlError(
        "no offscreen GL: " + "; ".join(reasons),
        hint="on Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri, or apt install libosmesa6",
    )


def _candidates() -> list[tuple[str, str]]:
    system = platform.system()
    if system == "Darwin":
        return [("cgl", "")]
    if system == "Windows":
        return [("glfw", "")]
    return [("egl", _egl_problem() or _platform_clash("egl")), ("osmesa", _osmesa_problem())]


def _egl_problem() -> str:
    """Why EGL cannot open a display on any device; empty if one of them can."""
    try:
        egl = ctypes.CDLL("libEGL.so.1")
    except OSError as err:
        return f"libEGL.so.1 does not load ({err})"
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    egl.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    query_address = egl.eglGetProcAddress(b"eglQueryDevicesEXT")
    display_address = egl.eglGetProcAddress(b"eglGetPlatformDisplayEXT")
    if not query_address or not display_address:
        return "libEGL lacks EGL_EXT_device_enumeration or EGL_EXT_platform_base"
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    query_type = ctypes.CFUNCTYPE(integer, integer, ctypes.POINTER(pointer), ctypes.POINTER(integer))
    display_type = ctypes.CFUNCTYPE(pointer, integer, pointer, pointer)
    devices, count = (pointer * 16)(), integer(0)
    query_type(query_address)(16, devices, ctypes.byref(count))
    egl.eglInitialize.argtypes = [pointer, pointer, pointer]
    for device in devices[: count.value]:
        display = display_type(display_address)(EGL_PLATFORM_DEVICE_EXT, device, None)
        if display and egl.eglInitialize(display, None, None):
            return ""
    return f"none of {count.value} EGL devices can be initialised (no driver, or no access to it)"


def _osmesa_problem() -> str:
    for name in (*_OSMESA_NAMES, ctypes.util.find_library("OSMesa")):
        if name is None:
            continue
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return _platform_clash("osmesa")
    return "libOSMesa is not installed"


def _platform_clash(name: str) -> str:
    fixed = os.environ.get("PYOPENGL_PLATFORM", "").lower()  # rule: allowed (PyOpenGL's, not ours)
    return f"the environment ties PyOpenGL to {fixed!r}" if fixed not in ("", name) else ""


def _load_context_class(name: str) -> type[Any]:
    """MuJoCo's context for ``name``; the variable its import leaves behind is taken away again."""
    before = os.environ.get("PYOPENGL_PLATFORM")  # rule: allowed
    try:
        context_class: type[Any] = importlib.import_module(f"mujoco.{name}").GLContext
    finally:
        if before is None:
            os.environ.pop("PYOPENGL_PLATFORM", None)  # rule: allowed (put back as it was)
    return context_class
