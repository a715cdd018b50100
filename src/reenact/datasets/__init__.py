"""Datasets in and out: the formats that robot learners train on.

Owns: writers (LeRobot v3.0 now; v2.1 + modality and the readers of published sets come behind the same door), their
statistics and checks. May import: geometry, scene, hands, actions, robots, video (and errors, records).
"""
