"""States, their order in the chain, and the settings of the evidence and of the machine."""

from __future__ import annotations

from dataclasses import dataclass, field

from reenact.refine.states.edges import EdgeConfig
from reenact.refine.states.picture import PictureConfig
from reenact.refine.states.stretches import OppositionConfig, TravelConfig
from reenact.scene.interaction import InteractionState

STATES = (
    InteractionState.STATIC,
    InteractionState.MOVING,
    InteractionState.GRASPED_LEFT,
    InteractionState.GRASPED_RIGHT,
    InteractionState.GRASPED_BOTH,
)
"""Order of the states in posteriors. The chain has two more, pushed by the left and by the right hand: the object goes
with the hand, on the table, touched but not held; they count as moving."""
CHAIN = 7
FORBIDDEN = 1e4
"""Nats that no evidence makes up for."""
MOVING, HELD, BOTH, PUSHED = 1, (2, 3), 4, (5, 6)
HANDS_OF: dict[int, tuple[int, ...]] = {0: (), 2: (0,), 3: (1,), 4: (0, 1)}
"""Which hands hold, by state; what moves without being held is left out."""


@dataclass(frozen=True)
class EvidenceConfig:
    """Scales of the evidence. Lengths in metres, times in seconds."""

    evidence_hz: float = 30.0
    """Frames nearer in time than one over this share one frame's worth of evidence: noise is never quite white."""
    contact_correlation_s: float = 0.10
    """Contact distances are smoothed and drift; one independent look per this time."""
    distance_bias: float = 0.004
    """Error of a contact distance that smoothing does not remove: hand model, depth of each thing (m)."""
    free_range: float = 0.15
    """A hand that is about but does not touch is anywhere within this (m)."""
    free_height: float = 0.15
    """A held thing is anywhere within this over the table (m)."""
    most_against: float = 8.0
    """No single look speaks against contact by more (nats)."""
    most_aloft: float = 16.0
    """No single look at its height speaks against lying by more (nats): what carries it may be unknown."""
    one_sided: float = 5.0
    """Taken off where the object is not between the touching points (nats per look)."""
    between_width: float = 0.002
    """How gradually that sets in (m)."""
    hand_share: float = 0.7
    """Share of the hand's error that comes and goes within a second or so."""
    shape_slack: float = 0.002
    """Fingers of a hand that holds move by this (m)."""
    shape_share: float = 0.3
    """Weight of the grip's shape: fingers are correlated, and so are their errors."""
    near_tip: float = 0.03
    """Fingertips farther than this from the object do not count for the shape of a grip (m)."""
    depth_slack: float = 0.03
    """Slow relative error of depth that is not motion; smaller once drift has been taken out."""
    depth_correlation_s: float = 0.5
    """How slow: one independent depth per this time."""
    step_s: float = 0.2
    """Changes of place and of grip are taken over this long (s)."""
    free_speed: float = 0.3
    """How fast hands go that go their own way (m/s)."""
    fitted_correlation_s: float = 0.25
    """One independent look at contact of a hand that was put where it can touch, per this time."""
    lost_rate: float = 10.0
    """Price of rest where the thing is not seen and no hand is in front of it (nats/s): at rest it would be in sight."""
    cover: float = 0.04
    """A hand hides what is nearer to one of its joints in the picture than this, beside its own size (m)."""
    gone_s: float = 0.35
    """A hand unseen for this long, before and after, begins to count as gone, and for twice as long is (s)."""
    touched_rest_rate: float = 8.0
    """Price of rest while a hand touches, where no support is known (nats/s): a thing that a hand holds still in the air
    rests, too, and only a table would tell."""
    push_near: float = 0.02
    """Points that are farther from the object than the nearest one count e times less per this in the direction of a
    push (m)."""
    opposition: OppositionConfig = field(default_factory=OppositionConfig)
    travel: TravelConfig = field(default_factory=TravelConfig)
    picture: PictureConfig = field(default_factory=PictureConfig)

    @property
    def slow_looks(self) -> float:
        """Frames' worth of evidence in which a slow error is the same."""
        return max(self.depth_correlation_s * self.evidence_hz, 1.0)


@dataclass(frozen=True)
class StateConfig:
    """Settings of the machine. Times in seconds, prices in nats."""

    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    edges: EdgeConfig = field(default_factory=EdgeConfig)
    shortest_s: float = 0.12
    """No stretch is shorter, but at the ends of the clip."""
    change: float = 8.0
    """Price of a change of state: that it happens just now, and what its own constants explain by chance."""
    own_constants: tuple[float, ...] = (3.0, 0.0, 6.0, 6.0, 6.0, 6.0, 6.0)
    """What the constants of a stretch explain of the noise by chance, half a nat each: place and turn; grip and shape."""
    one_hand_more: float = 14.0
    """Price of a second hand joining or leaving."""
    most_together: float = 30.0
    """That both hands go where the object goes speaks for both by no more (nats)."""
    push_to_hold: float = 7.0
    """More for the hand that pushes to hold, or the other way round: its fingers have to close."""
    moving_rate: float = 25.0
    """Price of free motion per second (nats/s): a smooth path follows noise that is not quite white, and things
    seldom move with no hand on them."""
    alone: float = 0.5
    """Share of the evidence against any hand's touch that speaks against free motion, too: few things move alone."""
    pushed_rate: float = 5.0
    """Price of being pushed per second (nats/s)."""
    held_rate: float = 0.3
    """Price of being held per second (nats/s)."""
    unseen_rate: float = 80.0
    """Price of being held by a hand that is not seen meanwhile, while the other one is seen at the thing (nats/s): that one
    explains the motion, if not perfectly."""
    unknown_below: float = 0.5
    """Posterior below which the state is `unknown`: no state is likelier than all others together."""
    longest_s: float = 10.0
    """Stretches are judged whole up to this length, and in pieces of it where they last longer (s)."""
    least_doubt: float = 0.02
    """Holds less likely to be pushes are not judged again."""
    around_s: float = 0.3
    """What is judged again reaches as far to either side (s)."""
    longest_gap_s: float = 1.0
    """An object not seen for longer, and not held, is `unknown` in between."""
    end_gap_s: float = 0.4
    """Before its first and after its last sight the state of a thing that no hand holds is believed less by a factor of e
    per so long (s): it may have been taken away at once."""
    hand_unseen_s: float = 1.0
    """A hold is `unknown` where its hand is not seen for longer, before and after, and believed less by a factor of e per
    so long before the first and after the last sight of the object (s)."""
