"""Hands and objects made to agree over a whole clip: weighted terms, one solver.

Owns: the terms (data, depth drift, smoothness, held, still, contact, no penetration, support), the banded Gauss-Newton
solver over them, the rounds with the state machine, and the flags. May import: geometry, scene, hands, refine.contacts,
refine.states.
"""
