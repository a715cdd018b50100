"""A user's own MJCF or URDF as a robot: the model file is theirs, a small sheet says what its parts mean."""

from __future__ import annotations
