"""A close-up of one object: the labels of a frame seen through a virtual pinhole, so that any lens will do.

In: a label frame, the clip's camera, a box. Out: the labels in a small square with its own intrinsics, and the signed
distance to the object's outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from reenact.geometry.cameras import FisheyeCamera, PinholeCamera
from reenact.rendering.mesh_depth import View
from reenact.scene import MaskLabel

Camera = PinholeCamera | FisheyeCamera


@dataclass(frozen=True)
class Window:
    """One object's surroundings in one frame."""

    view: View
    inside: Bool[np.ndarray, "h w"]
    """Pixels of the object."""
    unknown: Bool[np.ndarray, "h w"]
    """Pixels that may hide the object: hands, arms, body, other objects, and what lies outside the picture."""
    distance_px: Float32[np.ndarray, "h w"]
    """Signed distance to the outline, positive outside (pixels of the window)."""
    edge_known: Bool[np.ndarray, "h w"]
    """The nearest edge is one between object and background, not one where something covers it."""
    px_per_mask_px: float


def normalised(camera: Camera, pixels: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """x/z and y/z of the rays of pixels of the camera."""
    rays = np.asarray(camera.unproject(pixels))
    return rays[:, :2] / rays[:, 2:]


def square_view(
    camera: Camera,
    low: Float64[np.ndarray, " 2"],
    high: Float64[np.ndarray, " 2"],
    size_px: int,
    margin: float,
) -> View:
    """A square pinhole view that holds a box of normalised coordinates with a margin (share of its side)."""
    half = max(float((high - low).max()) / 2, 4.0 / float(camera.params[0])) * (1 + 2 * margin)
    focal = size_px / (2 * half)
    centre = (low + high) / 2
    middle = (size_px - 1) / 2
    K = np.array(
        [[focal, 0, middle - focal * centre[0]], [0, focal, middle - focal * centre[1]], [0, 0, 1.0]]
    )
    return View(K, size_px, size_px)


def mask_box(mask: Bool[np.ndarray, "h w"], camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest normalised x, y of a mask's bounding box; the mask may be smaller than the camera's frame."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x0, x1, y0, y1 = columns[0] - 0.5, columns[-1] + 0.5, rows[0] - 0.5, rows[-1] + 0.5
    corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1], [x0, (y0 + y1) / 2], [x1, (y0 + y1) / 2]])
    flat = normalised(camera, to_full(corners, mask.shape, camera))
    return flat.min(0), flat.max(0)


def to_full(
    pixels: Float64[np.ndarray, "n 2"], shape: tuple[int, ...], camera: Camera
) -> Float64[np.ndarray, "n 2"]:
    """Pixels of a smaller picture of the same view in the camera's own pixels."""
    scale = np.array([camera.width_px / shape[1], camera.height_px / shape[0]])
    full: np.ndarray = (pixels + 0.5) * scale - 0.5
    return full


def look_up(shape: tuple[int, ...], view: View, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each pixel of the view: row and column in a picture of that shape, and whether it lies in it."""
    x = (np.arange(view.width_px) - view.K[0, 2]) / view.K[0, 0]
    y = (np.arange(view.height_px) - view.K[1, 2]) / view.K[1, 1]
    if isinstance(camera, PinholeCamera):  # rows depend on y only, columns on x only
        scale_x, scale_y = shape[1] / camera.width_px, shape[0] / camera.height_px
        across = np.rint((x * camera.fx + camera.cx + 0.5) * scale_x - 0.5)
        down = np.rint((y * camera.fy + camera.cy + 0.5) * scale_y - 0.5)
        on_x, on_y = (across >= 0) & (across < shape[1]), (down >= 0) & (down < shape[0])
        rows, columns = np.meshgrid(
            np.where(on_y, down, 0).astype(np.intp), np.where(on_x, across, 0).astype(np.intp), indexing="ij"
        )
        fits = on_y[:, None] & on_x
        return np.where(fits, rows, 0), np.where(fits, columns, 0), fits
    x, y = np.meshgrid(x, y)
    pixels = np.asarray(camera.project(np.stack([x, y, np.ones_like(x)], -1)))
    scale = np.array([shape[1] / camera.width_px, shape[0] / camera.height_px])
    at = np.rint((pixels + 0.5) * scale - 0.5)
    columns, rows = at[..., 0], at[..., 1]
    fits = (columns >= 0) & (columns < shape[1]) & (rows >= 0) & (rows < shape[0])
    return np.where(fits, rows, 0).astype(np.intp), np.where(fits, columns, 0).astype(np.intp), fits


def make_window(label: UInt8[np.ndarray, "h w"], code: int, camera: Camera, view: View) -> Window:
    """The close-up; `label` may be smaller than the camera's frame."""
    rows, columns, fits = look_up(label.shape, view, camera)
    seen = label[rows, columns]
    inside = fits & (seen == code)
    covers = (seen != MaskLabel.BACKGROUND) & (seen != MaskLabel.TABLE) & (seen != code)
    unknown = ~fits | covers
    alone = _signed(inside)
    wide = _signed(inside | unknown) if unknown.any() else alone
    scale = float(view.K[0, 0] / camera.params[0] * camera.width_px / label.shape[1])
    known = (np.abs(alone - wide) < max(1.0, scale)) & ~unknown
    return Window(view, inside, unknown, alone, known, max(scale, 1e-6))


def _signed(mask: np.ndarray) -> np.ndarray:
    if not mask.any() or mask.all():
        return np.full(mask.shape, 1e3 if not mask.any() else -1e3, np.float32)
    image = mask.astype(np.uint8)
    outside = cv2.distanceTransform(1 - image, cv2.DIST_L2, 5)
    inner = cv2.distanceTransform(image, cv2.DIST_L2, 5)
    return np.where(mask, 0.5 - inner, outside - 0.5).astype(np.float32)
