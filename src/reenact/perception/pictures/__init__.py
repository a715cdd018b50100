"""What the roles that look at pictures share: a small stack of frames, flow, the camera's own motion, where hands are.

Owns no role. Used by `camera`, `discover`, `masks` and `points`. May import `reenact.geometry`, `reenact.hands`,
`reenact.scene`, errors and records. ``cv2`` is imported only inside the files that need it, so nothing is imported here.
"""
