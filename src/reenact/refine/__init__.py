"""From what the nets saw to what can be believed: metric hands now; calibration, states and objects beside them.

Owns: the maths that turns landmarks, cameras and (later) depth into consistent metric tracks, each step a function
with a small frozen config. Knows no net and no robot. May import: geometry, scene, hands (and errors, records).
"""
