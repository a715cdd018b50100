"""Verbs for writing activities: reach, close, carry, put down, steady, wait.

In: an activity calling the verbs in order. Out: a `Script`. Durations follow from path lengths and human peak speeds;
grasps are searched when they are first asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import make_T
from reenact.toy.grasps import Grasp, GraspStyle, fit_grasp
from reenact.toy.hand_plan import SHORTEST, HandPlan
from reenact.toy.hand_surface import FOREARM, HandSurface
from reenact.toy.motion import Bend, Phase
from reenact.toy.postures import RELAXED
from reenact.toy.props import MAKERS
from reenact.toy.rooms import TABLE_TOP
from reenact.toy.script import Hold, Script
from reenact.toy.wrists import Vector, outward, wrist_rotation

PEAK_SPEED = (0.45, 0.70)
"""Peak wrist speed of a movement is drawn from this range (m/s); everyday reaching at a table is 0.3 to 0.8."""
CLOSE_TIME = (0.28, 0.40)
"""Fingers close or open within this range (s)."""


class Stage:
    """The table while an activity is being written."""

    def __init__(self, rng: np.random.Generator, hand_length: float, sides: tuple[int, ...]) -> None:
        self.rng, self.hand_length = rng, hand_length
        self.props: list = []
        self.start: list[np.ndarray] = []
        self.place: list[np.ndarray] = []
        self.holds: list[Hold] = []
        self.may_enter: set[tuple[int, int]] = set()
        self.hands = {side: self._resting(side) for side in sides}
        self._open_holds: dict[tuple[int, int], dict[str, Any]] = {}

    # --- things -----------------------------------------------------------------------------------------------

    def add(self, name: str, x: float, y: float, yaw: float = 0.0, on_top: float = 0.0) -> int:
        """Put a new prop on the table (or `on_top` metres above it); returns its index."""
        prop = MAKERS[name](self.rng)
        T = make_T(yaw_rotation(yaw), np.array([x, y, TABLE_TOP + on_top - prop.shape.lowest()]))
        self.props.append(prop)
        self.start.append(T)
        self.place.append(T)
        return len(self.props) - 1

    def spot(self, object_idx: int, x: float, y: float, turn: float = 0.0) -> Float64[np.ndarray, "4 4"]:
        """The object's place standing elsewhere on the table, turned by `turn` about the vertical."""
        T = self.place[object_idx].copy()
        T[:3, :3] = yaw_rotation(turn) @ T[:3, :3]
        T[:2, 3] = x, y
        return T

    # --- hands ------------------------------------------------------------------------------------------------

    def speed(self) -> float:
        """A human peak speed (m/s)."""
        return float(self.rng.uniform(*PEAK_SPEED))

    def grasp(
        self, side: int, object_idx: int, style: GraspStyle, T_object_wrist: np.ndarray, on_table: bool = True
    ) -> Grasp:
        """Search a grasp from a first guess of the wrist in the object's frame.

        `on_table`: the object will stand on the table at some time while held so.
        """
        shape = self.props[object_idx].outside
        table_z = self.props[object_idx].shape.lowest() if on_table else None
        return fit_grasp(style, shape, T_object_wrist, side, self.hand_length, table_z)

    def reach(self, side: int, object_idx: int, grasp: Grasp, come_from: Vector, arc: float = 0.08) -> None:
        """Go to the grasp with open fingers; the last stretch runs in from `come_from` (world vector, m)."""
        hand = self.hands[side]
        goal = self.place[object_idx] @ grasp.T_object_wrist
        hand.move(
            "reach", goal, self.speed(), leave=(0.8 * come_from[0], 0, arc), arrive=come_from, turn=(0.0, 0.58),
            bends=(Bend(grasp.opened, 0.02, 0.5),),
        )  # fmt: skip

    def close(self, side: int, object_idx: int, grasp: Grasp, **how: Any) -> None:
        """Close the fingers; from then on the object goes with the hand (`how`: further fields of the `Hold`)."""
        hand = self.hands[side]
        hand.wait(float(self.rng.uniform(*CLOSE_TIME)), Bend(grasp.closed))
        self.take(side, object_idx, **how)
        hand.wait(0.08)

    def take(self, side: int, object_idx: int, **how: Any) -> None:
        """From now on the object goes with the hand; `how` are further fields of the `Hold`."""
        self._open_holds[side, object_idx] = {"begin": self.hands[side].now, **how}

    def holding(self, side: int, object_idx: int, grasp: Grasp, T_world_object: np.ndarray) -> None:
        """The clip begins with the object in the hand, at this pose. Only before the hand's first phase."""
        self.start[object_idx] = self.place[object_idx] = T_world_object
        self.hands[side] = HandPlan(side, T_world_object @ grasp.T_object_wrist, grasp.closed)
        self.take(side, object_idx, steady=True)

    def drop(self, side: int, object_idx: int, at: float | None = None) -> None:
        """From now on (or since script time `at`) the object no longer goes with the hand."""
        how = self._open_holds.pop((side, object_idx))
        self.holds.append(Hold(object_idx, side, end=self.hands[side].now if at is None else at, **how))

    def carry(
        self,
        side: int,
        object_idx: int,
        grasp: Grasp,
        T_goal: np.ndarray,
        lift: tuple[float, float] = (0.10, 0.10),
        name: str = "carry",
        speed: float | None = None,
        at_least: float = SHORTEST,
    ) -> None:
        """Take the held object to a new place; it sets off and comes in vertically by the two lifts (m)."""
        self.hands[side].move(
            name, T_goal, speed or self.speed(), T_moved_wrist=grasp.T_object_wrist, leave=(0, 0, lift[0]),
            arrive=(0, 0, lift[1]), at_least=at_least,
        )  # fmt: skip
        self.place[object_idx] = T_goal

    def ride(self, side: int, object_idx: int, grasp: Grasp, until: float) -> None:
        """The hand goes along with an object that the other hand moves, until script time `until`."""
        hand = self.hands[side]
        hand.add(
            Phase(
                "ride",
                until - hand.now,
                self.place[object_idx],
                grasp.T_object_wrist,
                rides_object_idx=object_idx,
            )
        )

    def let_go(self, side: int, object_idx: int, grasp: Grasp) -> None:
        """Open the fingers; the object stays."""
        hand = self.hands[side]
        hand.wait(0.08)
        self.drop(side, object_idx)
        hand.wait(float(self.rng.uniform(*CLOSE_TIME)), Bend(grasp.opened))

    def home(self, side: int, leave: Vector) -> None:
        """Back to a resting place; the first stretch runs along `leave` (world vector, m)."""
        hand, rest = self.hands[side], self._resting(side)
        hand.move(
            "home", rest.pose, self.speed(), leave=leave, arrive=(0.5 * leave[0], 0, 0.08), turn=(0.42, 1.0),
            bends=(Bend(rest.angles, 0.5, 1.0),),
        )  # fmt: skip

    def _resting(self, side: int) -> HandPlan:
        """A relaxed hand lying near the table's edge."""
        x, y = outward(side) * self.rng.uniform(0.15, 0.19), self.rng.uniform(-0.25, -0.21)
        inward = -outward(side) * self.rng.uniform(0.15, 0.35)
        R = wrist_rotation(
            side, (inward, 1.0, 0.06), (outward(side) * self.rng.uniform(0.05, 0.3), -0.1, 1.0)
        )
        angles = RELAXED + self.rng.normal(0, 0.03, 20)
        surface = HandSurface.adult(side, self.hand_length)
        skin = surface.points(angles, make_T(R, np.zeros(3)))
        z = TABLE_TOP + self.rng.uniform(0.005, 0.008) - skin[surface.part < FOREARM, 2].min()
        return HandPlan(side, make_T(R, np.array([x, y, z])), angles)

    # --- ending -----------------------------------------------------------------------------------------------

    def fidget(self, side: int, until: float) -> None:
        """An idle hand shifts a little now and then and moves its fingers, then waits until `until`."""
        hand = self.hands[side]
        while hand.now + 1.6 < until:
            hand.wait(float(self.rng.uniform(0.2, 0.7)))
            rest = self._resting(side)
            hand.move(
                "shift",
                rest.pose,
                0.25,
                arrive=(0, 0, 0.02),
                leave=(0, 0, 0.02),
                bends=(Bend(rest.angles),),
                at_least=0.7,
            )
        hand.wait_until(until)

    def script(self, name: str, clutter: int) -> Script:
        """Finish: all hands wait for the last, untouched things are added. What is still held stays held."""
        end = max(hand.now for hand in self.hands.values()) + float(self.rng.uniform(0.15, 0.3))
        for hand in self.hands.values():
            hand.wait_until(end)
        for side, object_idx in list(self._open_holds):
            self.drop(side, object_idx)
        self._add_clutter(clutter)
        left, right = (self.hands[s].part() if s in self.hands else None for s in (0, 1))
        return Script(
            name,
            tuple(self.props),
            np.stack(self.start),
            (left, right),
            tuple(self.holds),
            int(self.rng.integers(2**31)),
            frozenset(self.may_enter),
        )

    def _add_clutter(self, count: int) -> None:
        spots = [(-0.38, 0.12), (0.38, 0.10), (-0.34, 0.27), (0.35, 0.26), (-0.40, -0.08), (0.41, -0.06)]
        self.rng.shuffle(spots)
        for x, y in spots[:count]:
            name = str(self.rng.choice(["can", "carton", "bottle", "block", "bowl", "cup"]))
            near = min(
                np.hypot(x - T[0, 3], y - T[1, 3]) for T in [*self.start, *self.place, np.full((4, 4), 9.0)]
            )
            if near > 0.16:
                self.add(name, x, y, float(self.rng.uniform(-np.pi, np.pi)))


def yaw_rotation(angle: float) -> Float64[np.ndarray, "3 3"]:
    """Rotation about the world's vertical."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
