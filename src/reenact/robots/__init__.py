"""Robots as figures: sheets, the MuJoCo models built from them, forward kinematics, joint trajectories.

Owns the sheet format and the sheets themselves (``sheets/``), the models made from them or from a user's
MJCF/URDF, batched forward kinematics and Jacobians, and the record of a robot motion. May import
``reenact.errors``, ``records``, ``geometry``, ``hands`` and ``rendering``.

Public: ``registry.load_robot``, ``registry.known_robots``, ``model.Robot``, ``trajectory.JointTrajectory``,
``pictures.render_pose``. Importing this folder itself loads none of them.
"""
