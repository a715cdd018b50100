"""What is wrong with a dataset, in plain words: every check reads a `Table` and yields `Finding`s, none ever raises.

Owns the checks of `reenact data validate`, by subject (structure, numbers, hands, robot, video, trainers), the loading
that survives torn files, and the few repairs that are certain (`repair`). May import what `datasets` may.
Start with `validate.validate_dataset`.
"""
