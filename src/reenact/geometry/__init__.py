"""Space and time: rotations, rigid transforms, alignment, cameras, time grids and filters.

Owns the mathematics that every other room shares, and nothing about videos, hands or robots. Imports
nothing of ours but ``reenact.errors``. The algebra (``rotations``, ``transforms``, ``alignment``,
``cameras``) is one code for numpy arrays and torch tensors; ``timegrid`` and ``filters`` live on
numpy time axes. Every function takes leading batch axes. Import from the files::

    from reenact.geometry.rotations import so3_exp
    from reenact.geometry.cameras import PinholeCamera
"""
