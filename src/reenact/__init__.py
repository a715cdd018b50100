"""Reenact: ordinary videos of people using their hands, turned into robot action data.

This file stays empty of imports on purpose: ``import reenact`` must cost nothing. Reach for the
rooms by name, e.g. ``from reenact.scene import HandTracks`` (see ARCHITECTURE.md for the map).
"""

__version__ = "0.1.0"
