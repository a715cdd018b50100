"""The camera role: from RGB frames to one `CameraTrack` (lens, still or moving, gravity).

Owns the contract (:mod:`.contract`), the CPU backend (:mod:`.classical`, made of :mod:`.segments`,
:mod:`.manhattan`, :mod:`.ladder` and :mod:`.lines` for the focal length, :mod:`.gravity` and :mod:`.up_vote`,
:mod:`.motion`, :mod:`.prior`, :mod:`.user`, :mod:`.world`) and the truth backend (:mod:`.truth`). May import
``reenact.geometry``, ``reenact.scene``, errors and records. ``cv2`` is imported only by ``segments`` and
``motion``, so nothing is imported here.
"""
