"""Where the robot would stand: a root frame `T_world_base` for a clip, by any of several methods behind one contract.

`contract` says what a method is asked and what it answers; `search` is the training-free method; `score` judges a
root the same way for all methods, on the clip's solved trajectory. May import what retarget may.
"""
