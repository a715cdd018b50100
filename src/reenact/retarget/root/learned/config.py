"""Settings of the learned root estimator. Plain numbers only: the command line reads this file before numpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class WindowConfig:
    """How a clip is cut into what the network sees."""

    length_s: float = 2.0
    """Length of a window (s); EgoInfinity's."""
    tokens: int = 20
    """Instants per window."""
    stride_s: float = 1.0
    """Time between the starts of two windows of one clip (s)."""

    @property
    def step_s(self) -> float:
        """Time between two tokens (s)."""
        return self.length_s / self.tokens


@dataclass(frozen=True)
class NetConfig:
    """Size and layout of the network."""

    width: int = 64
    """Vector channels (published: 128)."""
    layers: int = 4
    """Transformer layers."""
    heads: int = 4
    """Attention heads."""
    hidden: int = 128
    """Vector channels inside the feed-forward blocks (published: 512)."""
    head_width: int = 256
    """Width of the invariant velocity head."""
    head_blocks: int = 2
    """Residual blocks of that head."""
    root_enters: Literal["head", "tokens"] = "head"
    """Where the noisy root meets the clip: "tokens" adds it to every token before attention, as published, and runs
    the transformer once per noise draw and per ODE step; "head" runs it once per clip."""
    position_scale: float = 0.25
    """Length (m) that becomes 1 at the input."""

    @classmethod
    def of_size(cls, size: Literal["small", "full"]) -> NetConfig:
        """ "small" trains on a CPU in minutes; "full" has the published width and layout."""
        if size == "small":
            return cls()
        return cls(width=128, hidden=512, head_width=512, root_enters="tokens")


@dataclass(frozen=True)
class MotionConfig:
    """Natural motions of a robot's own arms."""

    pool: int = 8192
    """Start postures kept per arm."""
    draws: int = 100_000
    """Postures drawn for them."""
    limit_share: float = 0.08
    """Share of each joint's range kept clear at both ends."""
    stiff_share: float = 0.15
    """Share of draws dropped for low manipulability."""
    home_sigma: float = 1.1
    """Rms distance of the joints from home (rad) at which a posture is exp(-1/2) as likely."""
    place_share: float = 0.6
    """The same for the wrist's distance from its place at home, in arm reaches."""
    inward: float = 0.4
    """That place is moved towards the middle: its lateral coordinate is multiplied by this."""
    lateral_sigma: float = 0.15
    """Lateral distance from there (m) at which a posture is exp(-1/2) as likely."""
    facing_sharpness: float = 4.0
    """Fingers pointing backwards are this much less likely (logistic slope per unit of cosine)."""
    knots: int = 7
    """Knots of the walk in a window (published: 7)."""
    spring: float = 0.15
    """Share of the way back to the start per knot."""
    position_step: tuple[float, float] = (0.008, 0.08)
    """Wrist step between knots (m), log-uniform per clip (published for G1: 0.026)."""
    rotation_step: tuple[float, float] = (0.02, 0.3)
    """Wrist turn between knots (rad), log-uniform per clip."""
    joint_step: float = 0.03
    """Joint noise between knots (rad): moves the elbows."""
    together: float = 0.4
    """Share of clips in which both wrists share most of their motion."""
    still: float = 0.15
    """Share of arms that hardly move."""
    start_apart: tuple[float, float] = (0.1, 0.65)
    """Distance between the wrists at the start that is sought (m, uniform): hands at work are near each other."""
    pair_tries: int = 48
    """Random pairs of start postures among which the one nearest to that distance is taken."""
    apart: tuple[float, float] = (0.07, 0.9)
    """Least and most distance between the wrists (m)."""
    crossed: float = 0.12
    """Clips whose left wrist is further to the right of the right one than this (m) are dropped."""


@dataclass(frozen=True)
class AugmentConfig:
    """What cameras and trackers do to a motion. Published values unless said otherwise."""

    distance: tuple[float, float] = (0.4, 2.5)
    """Camera to the hands' centre (m)."""
    azimuth: float = 2.094
    """Front cameras stand within this of straight ahead (rad)."""
    rear: float = 0.15
    """Share of cameras behind that arc, on both sides (published code: one side only)."""
    elevation: tuple[float, float] = (-0.175, 0.785)
    """Camera elevation (rad)."""
    noise_position: float = 0.01
    """One-sigma of wrist positions (m), drawn per clip between 0 and this."""
    noise_rotation: float = 0.05
    """The same for wrist rotations (rad)."""
    noise_depth: float = 0.03
    """One-sigma of a constant error of each hand's distance to the camera (m). Ours: what monocular hands do."""
    jumps: float = 0.2
    """Share of clips with a jump of one hand."""
    jump_size: float = 0.15
    """Largest jump (m)."""
    jump_share: float = 0.25
    """Longest jump, in windows."""
    occlusion: float = 0.2
    """Share of clips in which one hand is not seen for a while."""
    occlusion_share: float = 0.5
    """Longest such while, in windows."""
    one_handed: float = 0.15
    """Share of clips with one hand only. Ours."""
    short: float = 0.2
    """Share of clips shorter than a window. Ours."""
    gravity_noise: float = 0.1
    """Largest tilt of the gravity given (rad)."""
    gravity_dropout: float = 0.3
    """Share of clips without gravity."""


@dataclass(frozen=True)
class FlowConfig:
    """Conditional flow matching over SE(3): where noise starts and how the flow is followed."""

    tilt: float = 0.1
    """With gravity given, start rotations are upright up to this one-sigma tilt (rad), with uniform yaw; without it
    they are uniform over SO(3) as published."""
    centre_spread: float = 1.5
    """One-sigma of the start of the hands' centre in the base, in one-sigmas of the training motions."""
    ode_steps: int = 20
    """Euler steps at inference (published: 20)."""


@dataclass(frozen=True)
class TrainRootConfig:
    """Everything that decides the weights, together with the robot and the seed."""

    batch: int = 128
    """Clips per step, all fresh."""
    draws: int = 16
    """Noise draws per clip; with `net.root_enters` "head" they share one pass through the transformer."""
    rate: float = 1.5e-3
    """Peak learning rate of AdamW (published: 1e-3)."""
    rate_end: float = 1e-5
    """Rate at the end of the cosine."""
    warmup: int = 100
    """Steps of linear warm-up."""
    decay: float = 1e-4
    """Weight decay."""
    clip: float = 1.0
    """Largest gradient norm."""
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the products in training (measured on a CPU with AVX512-BF16: 1.9 times the clips per second of float32).
    Weights, their average, the curve and inference are float32."""
    average: float = 0.998
    """Decay of the running average of the weights; the average is what is shipped."""
    validation: int = 192
    """Held-out clips behind the curve."""
    curve_points: int = 24
    """Times the curve is measured and a checkpoint written."""
    window: WindowConfig = field(default_factory=WindowConfig)
    net: NetConfig = field(default_factory=NetConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    flow: FlowConfig = field(default_factory=FlowConfig)


@dataclass(frozen=True)
class LearnedConfig:
    """How the trained network is used on a clip."""

    weights: str = ""
    """A weights file of your own (its card beside it); the shipped ones when empty."""
    samples: int = 256
    """Roots drawn for a clip, shared among its windows."""
    medoids: int = 5
    """Representatives that are judged on the whole clip (EgoInfinity: K = 5)."""
    gravity_trusted: float = 0.15
    """Gravity less certain than this (rad) is not shown to the network."""
    prior_sigmas: float = 2.0
    """Without it, samples tilted further than this from what was assumed are set aside (one-sigmas)."""
    proposals: int = 32
    """Samples (besides the medoids) that "learned_search" hands to the search's polish."""
    seed: int = 0
    """Seed of the draws."""
