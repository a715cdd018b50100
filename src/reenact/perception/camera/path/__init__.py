"""Where a moving camera went: structure from motion over one clip, and its scale in metres.

:mod:`.config` holds every threshold, :mod:`.tracks` follows corners from frame to frame and :mod:`.marks` recognises
marks between keyframes (``cv2``), :mod:`.blocked` says which pixels belong to hands, :mod:`.mapping` turns both into
keyframe poses and points (the only file that imports ``pycolmap``), :mod:`.register` places the frames between,
:mod:`.judge` measures how sure all of it is, :mod:`.selfcal` takes the lens from it, :mod:`.metres` finds the scale from
hands, :mod:`.level` the way up, :mod:`.solve` runs them in order and :mod:`.assemble` makes the records. May import
``reenact.geometry``, ``reenact.hands``, ``reenact.scene``, errors and records. Nothing is imported here.

Poses and points of the reconstruction live in a frame called `map`: axes of the first placed camera, unit unknown.
"""
