"""Readers of published data sets and of our own: one file per format, one typed result, one registry.

Each reader's docstring states the source's frames, orders and units and what is done to them. A reader translates at the
door, keeps unknown things unknown (invalid, None, named in `provenance.unknown`), and refuses what it cannot be sure of
with a named error. Pickles are read by `restricted_unpickle` in a process of its own, and nowhere else.

    for episode in open_dataset(path): ...      # the format is recognised
    open_dataset(path, "hot3d", Hot3dConfig(quest_up="y"))
"""

from reenact.datasets.readers.episode import Episode as Episode
from reenact.datasets.readers.episode import HumanEpisode as HumanEpisode
from reenact.datasets.readers.episode import RobotEpisode as RobotEpisode
from reenact.datasets.readers.registry import READERS as READERS
from reenact.datasets.readers.registry import Reader as Reader
from reenact.datasets.readers.registry import open_dataset as open_dataset
from reenact.datasets.readers.registry import recognise as recognise
