"""Procedural pictures for the toy world's surfaces: wood, tiles, cloth, skin, printed labels.

In: a random generator and colours. Out: uint8 RGB images. Every surface carries detail at several scales, because
real trackers and line finders need some to hold on to.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, UInt8

Rgb = tuple[float, float, float]


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, cells: tuple[int, int]
) -> Float64[np.ndarray, "h w"]:
    """Tileable value noise of -1..1 with `cells` lattice cells along (rows, columns)."""
    lattice = rng.uniform(-1, 1, cells)
    rows, columns = (np.arange(n) * (c / n) for n, c in zip((height, width), cells, strict=True))
    (i, u), (j, v) = ((x.astype(int), x % 1.0) for x in (rows, columns))
    u, v = (3 * u**2 - 2 * u**3)[:, None], (3 * v**2 - 2 * v**3)[None]
    i1, j1 = (i + 1) % cells[0], (j + 1) % cells[1]
    top = lattice[np.ix_(i, j)] * (1 - v) + lattice[np.ix_(i, j1)] * v
    bottom = lattice[np.ix_(i1, j)] * (1 - v) + lattice[np.ix_(i1, j1)] * v
    return top * (1 - u) + bottom * u


def layered_noise(
    rng: np.random.Generator, height: int, width: int, cells: tuple[int, int], layers: int
) -> Float64[np.ndarray, "h w"]:
    """Sum of noises, each twice as fine and half as strong as the one before."""
    total = np.zeros((height, width))
    for layer in range(layers):
        scale = 2**layer
        total += smooth_noise(rng, height, width, (cells[0] * scale, cells[1] * scale)) / scale
    return total


def wood(rng: np.random.Generator, size: int, planks: int, colour: Rgb) -> UInt8[np.ndarray, "h w 3"]:
    """Planks along the columns, each with its own tone and grain, dark joints between them."""
    rows = np.arange(size)
    plank = rows * planks // size
    tone = rng.uniform(-0.05, 0.05, planks)[plank][:, None]
    shift = rng.integers(0, size, planks)[plank]
    warp = layered_noise(rng, size, size, (4, 2), 3)
    fine = smooth_noise(rng, size, size, (size // 4, 8))
    rings = np.sin((rows[:, None] / size * planks * 3.0 + warp * 1.6) * 2 * np.pi)
    grain = 0.035 * rings + 0.035 * fine + 0.03 * warp
    grain = np.take_along_axis(grain, (np.arange(size)[None] + shift[:, None]) % size, axis=1)
    within = (rows * planks % size) / size
    joint = np.where((within < 0.02) | (within > 0.98), -0.16, 0.0)[:, None]
    return _paint(colour, tone + grain + joint)


def tiles(rng: np.random.Generator, size: int, count: int, colour: Rgb) -> UInt8[np.ndarray, "h w 3"]:
    """Square tiles with grout lines."""
    index = np.arange(size) * count // size
    tone = rng.uniform(-0.04, 0.04, (count, count))[np.ix_(index, index)]
    within = (np.arange(size) * count % size) / size
    grout = np.minimum.outer(within, within) < 0.03
    speckle = 0.03 * smooth_noise(rng, size, size, (size // 4, size // 4))
    return _paint(colour, np.where(grout, -0.2, tone + speckle))


def cloth(rng: np.random.Generator, size: int, colour: Rgb, stripes: int = 0) -> UInt8[np.ndarray, "h w 3"]:
    """Woven cloth, plain or striped."""
    tone = 0.05 * layered_noise(rng, size, size, (6, 6), 4)
    if stripes:
        tone = tone + np.where(np.arange(size) * stripes * 2 // size % 2 == 0, 0.06, -0.06)[:, None]
    return _paint(colour, tone)


def plaster(rng: np.random.Generator, size: int, colour: Rgb) -> UInt8[np.ndarray, "h w 3"]:
    """Painted wall: broad soft shading and faint roughness."""
    return _paint(colour, 0.025 * layered_noise(rng, size, size, (4, 4), 5))


def label(rng: np.random.Generator, size: int, colour: Rgb, accent: Rgb) -> UInt8[np.ndarray, "h w 3"]:
    """Printed packaging: bands, blocks of 'text' and dots, in two colours that tell objects apart."""
    image = np.tile(np.array(colour), (size, size, 1))
    unit = size // 16
    band = slice(int(rng.integers(2, 4)) * unit, int(rng.integers(5, 7)) * unit)
    image[band] = accent
    for row in range(8 * unit, 14 * unit, unit):
        column = 0
        while column < size:
            run = int(rng.integers(unit // 2, 2 * unit))
            if rng.random() < 0.55:
                image[row : row + unit // 2, column : column + run] = np.array(accent) * rng.uniform(0.5, 1.0)
            column += run + unit // 3
    grid = np.arange(size)
    for _ in range(10):
        (y, x), radius = rng.integers(0, size, 2), rng.uniform(0.4, 0.9) * unit
        disc = (grid[:, None] - y) ** 2 + (grid[None] - x) ** 2 < radius**2
        image[disc] = np.array(colour) * 0.5 + rng.uniform(0.0, 0.5, 3)
    image += 0.02 * smooth_noise(rng, size, size, (size // 8, size // 8))[..., None]
    return _quantise(image)


def _paint(colour: Rgb, tone: np.ndarray) -> np.ndarray:
    return _quantise(np.array(colour) * (1 + 2.0 * tone[..., None]))


def _quantise(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
