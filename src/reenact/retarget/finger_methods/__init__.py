"""Ways to choose finger joints, behind one contract.

Owns: the hand as all methods see it (`hand`), the fingertip objectives (`tips`: ours and HOP's), the vector objectives of
dex-retargeting (`vectors`: vector and DexPilot), and DexMan's neural finger IK (`net` to use it, `net_training` to make it).
The direct angle map is `retarget.finger_map`; `retarget.fingers` chooses among them. May import: geometry, hands, robots,
and `retarget`'s targets, banded solve and angle map.
"""
