"""Which hand point touches which object, where on it and since when.

Owns: the sphere model of a hand made from its 21 joints, hand-object distances on signed grids, the published
thresholds (DexMan) and our own posterior. May import: geometry, scene, hands.
"""
