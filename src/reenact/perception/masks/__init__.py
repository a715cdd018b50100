"""The mask role: from boxes around found objects to a label for every pixel of every frame.

Owns the contract (:mod:`.contract`), the CPU backend (:mod:`.classical`, made of :mod:`.seed`, :mod:`.views`,
:mod:`.sweep`, :mod:`.crowd`, :mod:`.follower`, :mod:`.shapes`, :mod:`.motion`, :mod:`.backdrop`,
:mod:`.search` and :mod:`.identity`) and the truth backend (:mod:`.truth`). May import ``reenact.geometry``,
``reenact.scene``, ``reenact.hands``, errors, records and ``perception.pictures``. ``cv2`` is imported only inside the
files that need it, so nothing is imported here.
"""
