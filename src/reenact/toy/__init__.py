"""The toy world: seeded clips of hands at work on a table, rendered, with exactly known truth.

Owns: scripts of activities, motion and grasps as data, the rendered world, and the truth records of a clip. Start at
`clip.make_clip(ToyConfig, folder)`. Importing this folder loads neither MuJoCo nor GL. May import: geometry, scene,
hands, video, rendering (and errors, records).
"""

from reenact.toy.config import ToyConfig as ToyConfig
from reenact.toy.config import ToyConfigError as ToyConfigError
