"""Close-ups and pictures of the frame in hand, kept so that none is made twice.

Of one frame many poses are drawn, each for its fit and again to be refined; those that do not reach beyond the mask are
seen through the same close-up.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.window import Camera, Window, make_window, mask_box, square_view
from reenact.rendering.mesh_depth import MeshPicture

_MARGIN, _LEAST_MARGIN = 0.08, 0.0799
"""Room around the object in a new close-up, and in one that is used again (shares of its side)."""
_WIDER = 1.0001
"""A close-up this much wider than need be is used again: poses are compared pixel by pixel, so only the same will do."""
_PICTURES = 8
"""Pictures kept."""


class Looks:
    """Of one object, for the last frame that was asked for."""

    def __init__(self, camera: Camera, size_px: int) -> None:
        self._camera, self._size_px = camera, size_px
        self._sighting: Sighting | None = None
        self._box: tuple[np.ndarray, np.ndarray] | None = None
        self._windows: list[Window] = []
        self._pictures: dict[bytes, tuple[Window, MeshPicture]] = {}

    def drawn(
        self, sighting: Sighting, T_camera_object: Float[np.ndarray, "4 4"]
    ) -> tuple[Window, MeshPicture] | None:
        """What was kept of this pose in this frame."""
        if sighting is not self._sighting:
            self._start(sighting)
        return self._pictures.get(_key(T_camera_object))

    def keep(self, T_camera_object: Float[np.ndarray, "4 4"], window: Window, picture: MeshPicture) -> None:
        """A picture of the frame in hand; the oldest makes room."""
        if len(self._pictures) >= _PICTURES:
            del self._pictures[next(iter(self._pictures))]
        self._pictures[_key(T_camera_object)] = window, picture

    def window(
        self, sighting: Sighting, low: Float64[np.ndarray, " 2"], high: Float64[np.ndarray, " 2"]
    ) -> Window:
        """A close-up that holds the mask and a box (x/z, y/z)."""
        if sighting is not self._sighting:
            self._start(sighting)
        if self._box is not None:
            low, high = np.minimum(low, self._box[0]), np.maximum(high, self._box[1])
        view = square_view(self._camera, low, high, self._size_px, _MARGIN)
        for window in self._windows:
            K = window.view.K
            edge = np.concatenate([low, -high]) * K[0, 0] + np.concatenate([K[:2, 2], -K[:2, 2]])
            room = edge + np.array([0, 0, self._size_px - 1, self._size_px - 1])
            if room.min() > _LEAST_MARGIN * self._size_px and view.K[0, 0] < _WIDER * K[0, 0]:
                return window
        window = make_window(sighting.label, sighting.code, self._camera, view)
        self._windows = [window, *self._windows[:3]]
        return window

    def _start(self, sighting: Sighting) -> None:
        self._sighting, self._windows, self._pictures = sighting, [], {}
        mask = sighting.label == sighting.code
        self._box = mask_box(mask, self._camera) if sighting.mask_valid and mask.any() else None


def _key(T: Float[np.ndarray, "4 4"]) -> bytes:
    """The same for poses that differ by rounding only."""
    return (np.round(T, 7) + 0.0).tobytes()
