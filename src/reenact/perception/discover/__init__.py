"""The discover role: which things of a clip are worth following, one box each to start from, and why.

Owns the contract (:mod:`.contract`), what the user says (:mod:`.hints`, :mod:`.hinted`), the CPU backend
(:mod:`.automatic`, made of :mod:`.empty`, :mod:`.footprints`, :mod:`.comotion`, :mod:`.twins`, :mod:`.targets`,
:mod:`.suspects`, :mod:`.evidence`, :mod:`.repeats` and :mod:`.trial`) and the truth backend (:mod:`.truth`). May
import ``reenact.geometry``, ``reenact.scene``, errors, records, ``perception.pictures`` and ``perception.masks``.
``cv2`` is imported only inside the files that need it, so nothing is imported here.
"""
