"""LeRobotDataset v3.0, written with numpy, pyarrow and PyAV only: lerobot itself is never needed.

Layout and traps are those of lerobot 0.4.4 (format string v3.0), see docs/lerobot.md. Rule of names: only what a policy
may see is called `observation.*` or `action`; tracks, confidences and camera poses are `human.*`, `camera.*`.
"""

from reenact.datasets.lerobot.episode import Episode as Episode
from reenact.datasets.lerobot.episode import EpisodeConfig as EpisodeConfig
from reenact.datasets.lerobot.episode import episode_from_scene as episode_from_scene
from reenact.datasets.lerobot.features import Feature as Feature
from reenact.datasets.lerobot.writer_v3 import write_v3 as write_v3
