"""The hand itself: joint names and order, the wrist frame, the free 21-joint skeleton and its own skin mesh.

Owns: everything that is true of a hand before any camera or robot looks at it. A licensed parametric hand (MANO) can
later stand behind the same interface when a user brings it. May import: geometry (and errors, records).
"""
