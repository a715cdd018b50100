"""The role *pose*: where a rigid object is, 6-DoF, frame by frame, with its covariance.

One way for all kinds of evidence: a pose is predicted (rigid motion of 3D tracks where depth is known, the last pose
otherwise) and then refined by Gauss-Newton over whatever the frame has: outline of the mask, depth inside it, point
tracks, the support plane, the hand. What no evidence holds keeps a wide covariance or is not valid.
Reading order: `start` (frames to begin with), `following` (one way through the clip), `by_points` (points that contradict
an outline), `ways` (which way is right when), `doubt` and `twins` (other poses that look alike), `tracker` (all of it).
May import geometry, scene, hands and rendering.
"""
