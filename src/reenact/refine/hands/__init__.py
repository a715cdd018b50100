"""Metric hands: 2D landmarks and net-relative shapes of a whole clip become two `HandTracks`, raw and refined.

Reading order: `pose` (one frame: a fixed skeleton fitted to the picture), `gate` (what is dropped and why), `fill`
(short gaps), `limits` (anatomy), `smooth` (time), `uncertainty` (what a user may trust), `reconstruct` (all of it).
`kinematics`, `levenberg` and `rigid` are the mathematics underneath. May import: geometry, scene, hands.
"""

from reenact.refine.hands.reconstruct import HandReconstruction as HandReconstruction
from reenact.refine.hands.reconstruct import HandReconstructionConfig as HandReconstructionConfig
from reenact.refine.hands.reconstruct import reconstruct_hands as reconstruct_hands
