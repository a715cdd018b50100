"""The unified proprioception-action space: what people and robots do, in the same named numbers.

Owns the declaration of the slots (names, frames, units), the record that holds them with a mask, the mirrored pairs
human <-> space and robot <-> space, and everything that moves along time: resampling, chunks, relative actions.
May import ``reenact.errors``, ``records``, ``geometry``, ``hands`` and ``robots``.

Reading order: ``slots`` (the declaration), ``vector`` (the record), ``human``, ``robot`` (the two pairs), ``ik`` (how
space becomes joints), ``joint_slots``, ``alignment`` (wrist frames of people and robots), ``timing``, ``chunks``,
``mirror``, ``joint_map`` (a data set's own joint numbers). Importing this folder itself loads none of them.
"""
