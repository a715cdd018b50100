"""Things on the toy table: what they look like and how a hand takes hold of them.

In: a random generator. Out: `Prop`, a shape with a printed look. Sizes are those of kitchen and workshop things that
one hand can hold (3 to 8 cm across), or two (15 to 30 cm).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reenact.geometry.transforms import make_T
from reenact.toy.shapes import Box, Lathe, Shape
from reenact.toy.textures import Rgb


@dataclass(frozen=True)
class Prop:
    """One rigid thing. Its frame has z up when it stands as usual; the origin is inside."""

    name: str
    shape: Shape
    colours: tuple[tuple[Rgb, Rgb], ...]
    """Ground and print colour of each part's label."""
    plain: tuple[bool, ...]
    """Parts with a plain instead of a printed surface."""
    filled: Shape | None = None
    """The same solid without its hollow, for planning grasps; None where there is no hollow."""

    @property
    def outside(self) -> Shape:
        """What a hand closes around."""
        return self.filled or self.shape


PALETTE: tuple[tuple[Rgb, Rgb], ...] = (
    ((0.80, 0.16, 0.14), (0.96, 0.93, 0.86)),
    ((0.12, 0.35, 0.70), (0.95, 0.85, 0.25)),
    ((0.14, 0.55, 0.32), (0.96, 0.96, 0.92)),
    ((0.93, 0.93, 0.90), (0.10, 0.30, 0.55)),
    ((0.95, 0.75, 0.15), (0.25, 0.15, 0.45)),
    ((0.35, 0.18, 0.50), (0.95, 0.80, 0.55)),
    ((0.10, 0.60, 0.66), (0.95, 0.45, 0.15)),
)


def _prop(
    rng: np.random.Generator,
    name: str,
    shape: Shape,
    plain: tuple[bool, ...] = (),
    filled: Shape | None = None,
) -> Prop:
    colours = tuple(PALETTE[int(rng.integers(len(PALETTE)))] for _ in shape.parts)
    return Prop(name, shape, colours, plain or (False,) * len(shape.parts), filled)


def cup(rng: np.random.Generator) -> Prop:
    """Tapered drinking cup, hollow."""
    top, foot = rng.uniform(0.036, 0.039), rng.uniform(0.029, 0.032)
    half, wall = rng.uniform(0.050, 0.056), 0.003
    profile = np.array([
        [0, -half], [foot, -half], [top, half], [top - wall, half], [foot - wall, -half + 2 * wall], [0, -half + 2 * wall],
    ])  # fmt: skip
    filled = Lathe(np.array([[0, -half], [foot, -half], [top, half], [0, half]]))
    return _prop(rng, "cup", Shape.of(Lathe(profile)), filled=Shape.of(filled))


def can(rng: np.random.Generator) -> Prop:
    """Drinks can."""
    radius, half = rng.uniform(0.029, 0.034), rng.uniform(0.055, 0.062)
    profile = np.array([
        [0, -half], [radius - 0.004, -half], [radius, -half + 0.004], [radius, half - 0.005], [radius - 0.005, half],
        [0, half],
    ])  # fmt: skip
    return _prop(rng, "can", Shape.of(Lathe(profile)))


def bottle(rng: np.random.Generator) -> Prop:
    """Bottle with shoulder and neck."""
    radius, half = rng.uniform(0.030, 0.034), rng.uniform(0.095, 0.105)
    turn = np.linspace(0, np.pi / 2, 7)
    shoulder = np.column_stack([
        0.014 + (radius - 0.014) * np.cos(turn), half - 0.075 + 0.035 * np.sin(turn)
    ])  # fmt: skip
    profile = np.concatenate([
        [[0, -half], [radius - 0.003, -half], [radius, -half + 0.003]], shoulder,
        [[0.014, half - 0.020], [0.017, half - 0.020], [0.017, half], [0, half]],
    ])  # fmt: skip
    return _prop(rng, "bottle", Shape.of(Lathe(profile)))


def bowl(rng: np.random.Generator) -> Prop:
    """Round bowl, hollow."""
    radius, half, wall = rng.uniform(0.070, 0.080), rng.uniform(0.026, 0.031), 0.004
    turn = np.linspace(0, np.pi / 2, 9)
    outside = np.column_stack([0.035 + (radius - 0.035) * np.sin(turn), half - 2 * half * np.cos(turn)])
    inside = np.column_stack([
        (radius - wall) * np.sin(turn[::-1]), half - (2 * half - 1.5 * wall) * np.cos(turn[::-1])
    ])  # fmt: skip
    profile = np.concatenate([[[0, -half]], outside, inside])
    filled = Lathe(np.concatenate([[[0, -half]], outside, [[0, half]]]))
    return _prop(rng, "bowl", Shape.of(Lathe(profile)), filled=Shape.of(filled))


def block(rng: np.random.Generator) -> Prop:
    """Toy block."""
    half = np.array([rng.uniform(0.022, 0.027), rng.uniform(0.022, 0.027), rng.uniform(0.024, 0.032)])
    return _prop(rng, "block", Shape.of(Box(half)))


def carton(rng: np.random.Generator) -> Prop:
    """Upright packet."""
    half = np.array([rng.uniform(0.024, 0.028), rng.uniform(0.033, 0.038), rng.uniform(0.060, 0.068)])
    return _prop(rng, "carton", Shape.of(Box(half)))


def bar(rng: np.random.Generator) -> Prop:
    """Long narrow packet lying along x, to be handed over."""
    half = np.array([rng.uniform(0.085, 0.095), rng.uniform(0.019, 0.023), rng.uniform(0.022, 0.026)])
    return _prop(rng, "bar", Shape.of(Box(half)))


def crate(rng: np.random.Generator) -> Prop:
    """Parcel for two hands."""
    half = np.array([rng.uniform(0.10, 0.12), rng.uniform(0.070, 0.085), rng.uniform(0.050, 0.058)])
    return _prop(rng, "crate", Shape.of(Box(half)))


def sponge(rng: np.random.Generator) -> Prop:
    """Kitchen sponge with a rough side."""
    x, y = rng.uniform(0.030, 0.034), rng.uniform(0.050, 0.056)
    soft, rough = Box(np.array([x, y, 0.013])), Box(np.array([x, y, 0.004]))
    places = [_at(0.0, 0.0, -0.004), _at(0.0, 0.0, 0.013)]
    return _prop(rng, "sponge", Shape.of(soft, rough, placed=places), (True, True))


def knife(rng: np.random.Generator) -> Prop:
    """Kitchen knife: handle along y about the origin, blade ahead of it, edge down."""
    handle, blade = rng.uniform(0.058, 0.063), rng.uniform(0.070, 0.080)
    grip = Box(np.array([0.0105, handle, 0.014]))
    steel = Box(np.array([0.0012, blade, 0.019]))
    places = [_at(0.0, 0.0, 0.0), _at(0.0, handle + blade - 0.002, -0.006)]
    prop = _prop(rng, "knife", Shape.of(grip, steel, placed=places), (True, True))
    return Prop(prop.name, prop.shape, (((0.16, 0.14, 0.13),) * 2, ((0.74, 0.76, 0.78),) * 2), prop.plain)


def loaf(rng: np.random.Generator) -> Prop:
    """Long loaf lying along x."""
    radius, half = rng.uniform(0.032, 0.036), rng.uniform(0.080, 0.095)
    turn = np.linspace(0, np.pi / 2, 6)
    end = np.column_stack([radius * np.sin(turn), -half + radius * (1 - np.cos(turn)) * 0.8])
    profile = np.concatenate([end, end[::-1] * [1, -1]])
    lying = make_T(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), np.zeros(3))
    prop = _prop(rng, "loaf", Shape.of(Lathe(profile), placed=[lying]), (True,))
    return Prop(prop.name, prop.shape, (((0.72, 0.46, 0.22), (0.55, 0.30, 0.12)),), prop.plain)


def board(rng: np.random.Generator) -> Prop:
    """Cutting board or tray."""
    half = np.array([rng.uniform(0.13, 0.15), rng.uniform(0.085, 0.10), 0.008])
    prop = _prop(rng, "board", Shape.of(Box(half)), (True,))
    return Prop(prop.name, prop.shape, (((0.88, 0.84, 0.74), (0.70, 0.60, 0.45)),), prop.plain)


def hammer(rng: np.random.Generator) -> Prop:
    """Mallet: handle along y, held at the origin, head across at the far end."""
    handle = rng.uniform(0.105, 0.115)
    profile = np.array(
        [[0, -handle], [0.010, -handle], [0.0125, -handle + 0.004], [0.0125, handle], [0, handle]]
    )
    along_y = make_T(np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), np.array([0, handle - 0.055, 0]))
    head = Box(np.array([0.018, 0.018, 0.038]))
    places = [along_y, _at(0.0, 2.0 * handle - 0.055, 0.0)]
    prop = _prop(rng, "hammer", Shape.of(Lathe(profile), head, placed=places), (True, True))
    return Prop(prop.name, prop.shape, (((0.70, 0.50, 0.28),) * 2, ((0.20, 0.21, 0.24),) * 2), prop.plain)


def peg(rng: np.random.Generator) -> Prop:
    """Round peg standing upright, to be struck."""
    radius, half = rng.uniform(0.014, 0.017), rng.uniform(0.026, 0.032)
    profile = np.array([[0, -half], [radius, -half], [radius, half], [0, half]])
    return _prop(rng, "peg", Shape.of(Lathe(profile)))


def _at(x: float, y: float, z: float) -> np.ndarray:
    return make_T(np.eye(3), np.array([x, y, z]))


MAKERS: dict[str, Callable[[np.random.Generator], Prop]] = {
    maker.__name__: maker
    for maker in (cup, can, bottle, bowl, block, carton, bar, crate, sponge, knife, loaf, board, hammer, peg)
}
"""All props by name."""
