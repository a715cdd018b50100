"""The contract of root methods: what they are asked, what they answer, and which way is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.errors import NoResultError
from reenact.retarget.chains import ArmClearance, WristChain
from reenact.retarget.posture_bank import PostureBank
from reenact.retarget.targets import HandTargets


class NoHandToFollow(NoResultError):
    """No side has both a valid hand and a robot arm."""


@dataclass(frozen=True)
class RobotArms:
    """The arms of a robot as the solvers see them; a side the robot lacks is None."""

    chains: tuple[WristChain | None, WristChain | None]
    banks: tuple[PostureBank | None, PostureBank | None]
    clearance: ArmClearance | None = None
    """Keeps the arms off the body and each other; None where the robot has no collision shapes."""
    name: str = "robot"
    """The robot's name: for messages, and for methods trained per robot."""

    def followed(self, targets: HandTargets) -> tuple[int, ...]:
        """Sides with an arm and at least one valid target.

        Raises:
            NoHandToFollow: there is none.
        """
        sides = tuple(s for s in (0, 1) if self.chains[s] is not None and targets.valid[:, s].any())
        if not sides:
            raise NoHandToFollow(
                f"valid frames left {int(targets.valid[:, 0].sum())}, right {int(targets.valid[:, 1].sum())}; "
                f"arms left {self.chains[0] is not None}, right {self.chains[1] is not None}",
                hint="a clip needs a few frames of a hand whose side the robot has",
            )
        return sides


@dataclass(frozen=True)
class Up:
    """What is known of the upward direction in the targets' frame."""

    direction: Float64[np.ndarray, "3"]
    """Unit vector."""
    sigma: float
    """One-sigma of its tilt (rad); 0 means known."""
    source: str
    """"world" (the frame is gravity-aligned) or "camera_prior" (assumed: the camera is held level, looking down)."""


@dataclass(frozen=True)
class RootScore:
    """How good a root is for a clip, on the solved trajectory (all criteria of EgoInfinity 03, and collisions)."""

    total: float
    """Weighted sum; larger is better."""
    ik_rate: float
    """Share of followed (side, frame) pairs within 1 cm and 0.05 rad (as the arm's own tolerance has it: an arm of
    five joints cannot choose its heading, see `robots.reach`)."""
    position_error: float
    """Mean (m)."""
    rotation_error: float
    """Mean geodesic (rad)."""
    limit_margin: float
    """Mean over frames of the joint nearest to its limit (rad)."""
    manipulability: float
    """Mean of sqrt(det(J J^T))."""
    roughness: float
    """Mean squared joint step between frames (rad^2)."""
    posture: float
    """Mean rms distance of the joints from home (rad): how natural it looks."""
    facing: float
    """Cosine between the base's x axis and where the fingers point on average."""
    collision_rate: float
    """Share of frames with self-collision; 0 where the robot has no collision model."""
    interior: float
    """Share of keyframe poses still reached when the root is moved a little: how deep inside the feasible set."""


@dataclass(frozen=True)
class RootResult:
    """A root frame and how it compares."""

    T_world_base: Float64[np.ndarray, "4 4"]
    score: RootScore
    up: Up
    method: str
    candidates: tuple[tuple[Float64[np.ndarray, "4 4"], RootScore], ...]
    """All roots that were scored on the whole clip, best first."""


@dataclass(frozen=True)
class RootRequest:
    """What a root method is given."""

    targets: HandTargets
    arms: RobotArms
    up: Up
    judge: Callable[[Float64[np.ndarray, "4 4"]], RootScore]
    """Scores a root on the whole clip's solved trajectory."""


RootMethod = Callable[[RootRequest], RootResult]
"""A root method; deterministic for the same request."""


def up_direction(world_frame: str, camera_pitch: float, camera_sigma: float) -> Up:
    """Up is +z in a gravity-aligned frame; in `camera0` it is assumed from a level camera pitched downward.

    Args:
        world_frame: "world" or "camera0" (OpenCV axes: y down, z forward).
        camera_pitch: assumed downward pitch of the camera (rad).
        camera_sigma: how far that assumption may be off (rad).
    """
    if world_frame == "world":
        return Up(np.array([0.0, 0.0, 1.0]), 0.0, "world")
    direction = np.array([0.0, -np.cos(camera_pitch), -np.sin(camera_pitch)])
    return Up(direction, camera_sigma, "camera_prior")
