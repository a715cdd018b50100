"""Measures on object tracks, states and contacts against truth: all in metres, seconds and shares.

Owns: DexMan's four pose metrics (appendix B.6), state F1, contact precision and recall, penetration, jumps. May import:
geometry, scene, hands.
"""
