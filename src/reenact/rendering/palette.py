"""Colours that mean the same thing wherever something is drawn: sides, objects, interaction states, contact."""

from __future__ import annotations

SIDE_RGB = ((31, 119, 180), (210, 105, 30))
"""Left, right."""
OBJECT_RGB = (
    (86, 152, 122),
    (188, 132, 52),
    (112, 108, 178),
    (176, 84, 104),
    (74, 142, 178),
    (148, 148, 72),
    (150, 106, 84),
    (104, 120, 132),
)
"""By index of the object; they repeat."""
STATE_RGB = ((255, 255, 255), (176, 182, 190), (240, 190, 60), (31, 119, 180), (210, 105, 30), (122, 72, 150))
"""By `InteractionState` code: unknown (to be hatched), static, moving, grasped left, right, both."""
CONTACT_RGB = (214, 40, 40)
SKIN_RGB = ((219, 166, 135), (214, 153, 118))
"""Left, right."""


def object_rgb(object_idx: int) -> tuple[int, int, int]:
    """The colour of an object."""
    return OBJECT_RGB[object_idx % len(OBJECT_RGB)]


def hex_color(rgb: tuple[int, int, int]) -> str:
    """#rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)
