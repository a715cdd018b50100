"""The role *depth*: how far each pixel is, where anything says so, and how sure that is.

Backends: `files` (depth pictures of an RGB-D camera or of a net), `stereo` (rectified pairs), `sparse` (the CPU default
without any of these: hands, the support plane, points of the room before a moving camera), `truth` (toy clips, with stated
noise). A dense net comes behind the same contract as kind "depth_scale_invariant". May import geometry, scene, hands and
rendering.
"""
