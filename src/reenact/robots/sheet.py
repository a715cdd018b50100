"""The robot sheet: what we know about a robot, as plain figures in a TOML file, and nothing else.

A sheet lists bodies (parent, pose, joint, inertia, simple shapes) and says which joints are arms and
fingers. It may be built from other sheets through ``mount`` (an arm sheet, then a hand sheet on its flange),
or point to a user's own MJCF/URDF with ``model_file``. The format is explained field by field below;
``compose.py`` resolves mounts, ``checks.py`` decides whether the whole makes sense.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]
Pair = tuple[float, float]
IDENTITY: Quat = (1.0, 0.0, 0.0, 0.0)
ORIGIN: Vec3 = (0.0, 0.0, 0.0)
SIDES = ("left", "right")
FINGER_ORDER = ("thumb", "index", "middle", "ring", "pinky")


@dataclass(frozen=True, kw_only=True)
class JointSpec:
    """One hinge (rad) or slide (m) between a body and its parent, at the body's own origin."""

    name: str
    axis: Vec3
    """In the body's frame; need not be of length one."""
    range: Pair
    """Lower and upper limit, rad or m."""
    effort: float
    """Largest torque (N m) or force (N)."""
    velocity: float
    """Fastest speed, rad/s or m/s."""
    kind: Literal["hinge", "slide"] = "hinge"
    armature: float | None = None
    """Rotor inertia seen at the joint, kg m^2 (kg for a slide). Left out: chosen from the effort."""
    damping: float = 0.0
    """Viscous friction, N m s/rad."""
    friction: float = 0.0
    """Dry friction, N m."""

    def __post_init__(self) -> None:
        if not self.range[0] < self.range[1]:
            raise ValueError(f"joint range {list(self.range)} is empty: lower must be below upper")
        if math.hypot(*self.axis) < 1e-6:
            raise ValueError(f"joint axis {list(self.axis)} has no direction")
        for name in ("effort", "velocity"):
            if not getattr(self, name) > 0:
                raise ValueError(f"joint {name} {getattr(self, name)} must be above 0")


@dataclass(frozen=True, kw_only=True)
class InertiaSpec:
    """Mass (kg), its centre (m, body frame) and principal moments (kg m^2) about axes turned by the quaternion."""

    mass: float
    com: Vec3 = ORIGIN
    moments: Vec3 | None = None
    """Left out: those of a ball of 5 cm radius and this mass."""
    quat_wxyz: Quat = IDENTITY

    def __post_init__(self) -> None:
        if not self.mass > 0:
            raise ValueError(f"mass {self.mass} must be above 0")
        if self.moments is not None:
            a, b, c = sorted(self.moments)
            if a <= 0 or a + b < c * (1 - 1e-3):
                raise ValueError(
                    f"moments {list(self.moments)} are no rigid body's: each must be above 0 and none larger "
                    "than the sum of the other two"
                )


ShapeKind = Literal["sphere", "capsule", "cylinder", "cone", "box", "pad", "ellipsoid"]
_SHAPE_KEYS: dict[str, tuple[str, ...]] = {
    "sphere": ("radius", "pos"),
    "capsule": ("radius", "start", "end"),
    "cylinder": ("radius", "start", "end"),
    "cone": ("radius", "radius_end", "start", "end"),
    "box": ("size", "pos"),
    "pad": ("size", "pos", "radius"),
    "ellipsoid": ("size", "pos"),
}


@dataclass(frozen=True, kw_only=True)
class ShapeSpec:
    """One simple solid of a body, in metres and in the body's frame.

    ``cone`` is a capsule with two radii, ``pad`` a box whose edges are rounded by ``radius``; both are
    convex and made by us from their few numbers.
    """

    kind: ShapeKind
    radius: float | None = None
    radius_end: float | None = None
    start: Vec3 | None = None
    end: Vec3 | None = None
    size: Vec3 | None = None
    """Half lengths along the shape's own axes."""
    pos: Vec3 | None = None
    quat_wxyz: Quat = IDENTITY
    color: str = "shell"
    """A name of the sheet's ``colors``."""
    use: Literal["both", "collision", "visual"] = "both"

    def __post_init__(self) -> None:
        needed = _SHAPE_KEYS[self.kind]
        for key in ("radius", "radius_end", "start", "end", "size", "pos"):
            given = getattr(self, key) is not None
            if key in needed and not given and key != "pos":
                raise ValueError(f"a {self.kind} needs {key!r} (it is described by {', '.join(needed)})")
            if given and key not in needed:
                raise ValueError(f"a {self.kind} has no {key!r} (it is described by {', '.join(needed)})")
        lengths = [v for v in (self.radius, self.radius_end, *(self.size or ())) if v is not None]
        if min(lengths) <= 0:
            raise ValueError(f"{self.kind} has a length {min(lengths)}; lengths must be above 0")


@dataclass(frozen=True, kw_only=True)
class BodySpec:
    """A rigid link: where it sits on its parent, what moves it, what it weighs and looks like."""

    name: str
    parent: str = ""
    """Name of the parent body; empty for a body fixed to the robot's base."""
    pos: Vec3 = ORIGIN
    quat_wxyz: Quat = IDENTITY
    joint: JointSpec | None = None
    inertia: InertiaSpec | None = None
    shapes: tuple[ShapeSpec, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FrameSpec:
    """A named place on a body."""

    body: str
    pos: Vec3 = ORIGIN
    quat_wxyz: Quat = IDENTITY


@dataclass(frozen=True, kw_only=True)
class ArmSpec:
    """Joints from shoulder to wrist, in order."""

    joints: tuple[str, ...]


FingerRole = Literal["bend", "spread", "oppose", "twist"]


@dataclass(frozen=True, kw_only=True)
class FingerJointSpec:
    """What a finger joint does to a person's eye."""

    name: str
    role: FingerRole
    """``bend`` curls the finger; ``spread`` moves it sideways (towards the thumb side is positive);
    ``oppose`` swings the thumb across the palm; ``twist`` turns the finger about its own length."""
    sign: Literal[-1, 1] = 1
    """``sign * q`` grows when the joint curls, spreads thumbwards, or brings the thumb across the palm."""


@dataclass(frozen=True, kw_only=True)
class FingerSpec:
    """A finger: its joints from the palm outwards and its tip (the middle of the pad's surface)."""

    tip: FrameSpec
    joints: tuple[FingerJointSpec, ...]


@dataclass(frozen=True, kw_only=True)
class HandSpec:
    """The fingers a hand has, by the human finger each stands for."""

    fingers: dict[str, FingerSpec]


@dataclass(frozen=True, kw_only=True)
class GripperSpec:
    """A parallel or angular gripper: joint values when open and closed."""

    joints: tuple[str, ...]
    open: tuple[float, ...]
    closed: tuple[float, ...]
    aperture: float
    """Distance between the jaws when open, m."""
    tip: FrameSpec
    """Midway between the finger pads."""


@dataclass(frozen=True, kw_only=True)
class CouplingSpec:
    """A joint that follows another: ``q[joint] = scale * q[of] + offset``."""

    joint: str
    of: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MountSpec:
    """Another sheet put onto this one."""

    sheet: str
    """Name of a sheet in the same folder or in its ``parts`` folder."""
    prefix: str = ""
    """Put before every name of that sheet."""
    root: str = ""
    """Body of that sheet to begin at, with all that hangs on it; empty: the whole sheet."""
    on: str = ""
    """Body it is fixed to; empty for the base."""
    at: Literal["root", "wrist"] = "root"
    """What of the mounted sheet is put at the pose: its first body, or its wrist frame (joints at zero)."""
    pos: Vec3 = ORIGIN
    quat_wxyz: Quat = IDENTITY
    side: Literal["left", "right"] | None = None
    """What the mounted sheet's side ``either`` becomes; what it says about the other side is dropped."""
    home: dict[str, float] = field(default_factory=dict)
    """Home values that replace the mounted sheet's own (its names, without prefix)."""


@dataclass(frozen=True, kw_only=True)
class SourceSpec:
    """Where figures come from, and under which licence they were published."""

    what: str
    url: str
    licence: str
    """SPDX identifier."""
    commit: str = ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One robot, or one part of a robot."""

    name: str
    title: str
    licence: str
    """SPDX expression of the sources' licences; the figures in the sheet are written by us."""
    sources: tuple[SourceSpec, ...] = field(metadata={"key": "source"})
    notes: str = ""
    model_file: str = ""
    """A user's own MJCF or URDF, relative to the sheet, instead of ``body`` tables."""
    packages: dict[str, str] = field(default_factory=dict)
    """For URDF: folder of each ROS package named in ``package://`` paths, relative to the sheet."""
    base: str = ""
    """Body whose frame is the robot's base; empty: the frame in which the root bodies are placed."""
    base_kind: Literal["fixed", "legged", "wheeled", "floating"] = "fixed"
    """What the base is in reality. Only a ``fixed`` one may never move within a clip."""
    base_height: float = 0.0
    """Height of the base frame above the floor when the robot stands or is mounted as usual, m."""
    colors: dict[str, Vec3] = field(default_factory=dict)
    bodies: tuple[BodySpec, ...] = field(default=(), metadata={"key": "body"})
    mounts: tuple[MountSpec, ...] = field(default=(), metadata={"key": "mount"})
    couplings: tuple[CouplingSpec, ...] = field(default=(), metadata={"key": "coupling"})
    excludes: tuple[tuple[str, str], ...] = ()
    """Pairs of bodies that may touch or overlap by construction, so are never checked against each other."""
    frozen: tuple[str, ...] = ()
    """Joints held at their home value unless asked for; they do not appear in ``q``."""
    home: dict[str, float] = field(default_factory=dict)
    """Joint values of the natural rest pose; those not named are 0, or the nearest value in range."""
    velocity: dict[str, float] = field(default_factory=dict)
    """With ``model_file``: speed limits by joint name (rad/s or m/s) where the file has none. The name
    ``default`` stands for all others; without it their limit is unknown (infinite)."""
    effort: dict[str, float] = field(default_factory=dict)
    """With ``model_file``: effort limits likewise (N m or N); ``default`` is 10 when not given."""
    meshes: Literal["use", "skip"] = "use"
    """With ``model_file``: ``skip`` builds the robot without its mesh geoms (kinematics stay the same)."""
    arms: dict[str, ArmSpec] = field(default_factory=dict)
    wrists: dict[str, FrameSpec] = field(default_factory=dict)
    """Wrist frame per side: y from palm to back of hand, z from little finger to thumb (CONVENTIONS.md)."""
    hands: dict[str, HandSpec] = field(default_factory=dict)
    grippers: dict[str, GripperSpec] = field(default_factory=dict)
