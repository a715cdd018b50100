"""Hands seen anywhere become joint trajectories of any robot.

Owns: wrist and finger targets on the robot's time grid, the fixed root frame (where the robot would stand), inverse
kinematics of arms and fingers over whole clips, and limits. May import: geometry, scene, hands, robots.

Reading order: `retarget.retarget` is the whole story; `targets` (hands -> wanted poses), `root.contract` and
`root.search` (where to stand), `arms` and `fingers` (joint positions), `limits` (velocity limits, exactly).
"""
