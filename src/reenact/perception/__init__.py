"""Perception: one folder per role (camera, hands, ...), each with a contract and a file per backend.

May import geometry, scene and hands; knows nothing of robots, learning or stages.
"""
