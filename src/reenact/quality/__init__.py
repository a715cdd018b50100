"""Measures with units on scenes and trajectories: the numbers of every report.

Owns: what is measured and how, never what is good enough. Reads records, changes nothing.
May import: geometry, scene, hands, robots (and errors, records).
"""
