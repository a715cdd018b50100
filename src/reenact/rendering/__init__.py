"""Offscreen pictures of MuJoCo models without a screen, a driver setting or an environment variable.

Owns the choice of the GL backend (EGL first, OSMesa as fallback) and one renderer that gives colour,
metric depth and surface identity through any pinhole camera. May import ``reenact.errors`` only.

Public: ``gl.choose_backend``, ``gl.GlBackend``, ``gl.NoGlError``, ``renderer.RenderConfig``,
``renderer.OffscreenRenderer``, ``renderer.Surfaces``, ``renderer.look_at``. Importing this folder itself
loads neither MuJoCo nor GL.
"""
