"""The point role: points followed through a clip, in pixels, and lifted to metres where something tells the depth.

Owns the contract (:mod:`.contract`), the CPU backend (:mod:`.lucas_kanade`), the lifting (:mod:`.lift`) and the truth
backend (:mod:`.truth`). May import ``reenact.geometry``, ``reenact.scene``, errors, records and
``perception.pictures``. ``cv2`` is imported only inside the files that need it, so nothing is imported here.
"""
