"""Metric hands: 2D landmarks and net-relative shapes of a whole clip become two `HandTracks`, raw and refined.

Reading order: `offsets` (where a net's landmarks lie about the joints), `pose` (one frame: a fixed skeleton fitted to
the picture), `hypotheses` and `path` (which of several fits, in view of the whole clip), `gate` (what is dropped and
why), `fill` (short gaps), `limits` (anatomy), `smooth` (the whole clip at once), `steady` (the distance, which errs
slowly), `uncertainty` (what a user may trust), `chain` (the steps bound to a clip), `reconstruct` (the entry). `track`
is what the steps pass on.
`kinematics`, `levenberg`, `rigid` and `roughness` are the mathematics underneath. May import: geometry, scene, hands.
"""

from reenact.refine.hands.chain import HandReconstructionConfig as HandReconstructionConfig
from reenact.refine.hands.reconstruct import HandReconstruction as HandReconstruction
from reenact.refine.hands.reconstruct import reconstruct_hands as reconstruct_hands
