"""The hand-landmark role: from RGB frames to 21 image and relative 3D landmarks per side.

Owns the contract (:mod:`.contract`), the CPU backend (:mod:`.mediapipe_litert` and its parts: weights,
nets, palm, roi, landmarks, tiles, tracker, identity) and the truth backend (:mod:`.truth`).
May import ``reenact.geometry``, ``reenact.scene``, ``reenact.hands``, errors and records. ``cv2`` and
``ai_edge_litert`` are imported only inside the files that need them, so nothing is imported here.
"""
