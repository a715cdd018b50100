"""All settings of the refinement of objects and hands, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from reenact.refine.interaction.grips import GripConfig
from reenact.refine.interaction.hand_errors import HandErrorConfig
from reenact.refine.interaction.posterior import PosteriorConfig
from reenact.refine.interaction.reach import ReachConfig
from reenact.refine.interaction.solve import SolveConfig
from reenact.refine.interaction.terms_contact import ContactTermConfig
from reenact.refine.interaction.terms_tracks import TrackTermConfig
from reenact.refine.states.config import StateConfig
from reenact.refine.states.observations import ObservationConfig


@dataclass(frozen=True)
class InteractionConfig:
    """Everything that shapes the refinement."""

    observe: ObservationConfig = field(default_factory=ObservationConfig)
    states: StateConfig = field(default_factory=StateConfig)
    hands: HandErrorConfig = field(default_factory=HandErrorConfig)
    reach: ReachConfig = field(default_factory=ReachConfig)
    grips: GripConfig = field(default_factory=GripConfig)
    tracks: TrackTermConfig = field(default_factory=TrackTermConfig)
    contact: ContactTermConfig = field(default_factory=ContactTermConfig)
    solve: SolveConfig = field(default_factory=SolveConfig)
    posterior: PosteriorConfig = field(default_factory=PosteriorConfig)
    rounds: int = 2
    """Times that states are inferred and poses solved for."""
    height_sigma: float = 0.008
    """Error of a height over the table once drift has been taken out (m)."""
    settled_depth_slack: float = 0.01
    """Relative depth error that is left once drift has been taken out."""
    vague_support: float = 0.04
    """A support plane whose height is less sure than this (m, one sigma) is as good as none: what stands on it would
    otherwise be free to slide along the line of sight, and every object with it."""
