"""Metres for everything, from whatever has them: hands, depth, the table, gravity.

Owns: the support plane (`support`); scale and shift of depth between pictures (`affine`), chunks (`chunks`, DexMan B.1)
and frames (`background`), together for a clip (`clip_depth`); its scale by the hands (`hand_scale`, DexMan B.2 among
them); the hand's place against depth, in a frame (`hand_depth`) and over a clip (`hand_track`). Every answer says where
it came from and how sure it is. May import geometry, scene, hands and rendering.
"""
