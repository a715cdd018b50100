"""Metres for everything, from whatever has them: hands, depth, the table, gravity.

Owns: the support plane (`support`), scale and shift of depth between chunks, frames and against the hands (`affine`,
`background`, `hand_scale`), and the hand's place against depth (`hand_depth`). Every answer says where it came from
and how sure it is. May import geometry, scene, hands and rendering.
"""
