"""TCDM object trajectories (mostly from GRAB), the npz with flattened names.

Source: metres, MuJoCo world (z up), quaternions wxyz. There is no rate in the file (`SIM_SUBSTEPS` counts steps, not
seconds): times are frame numbers only. `length`, how far an episode runs, is less than the poses in 3 of the 51
published files: all poses are read, `length` goes to `extras["length_frames"]`. The start state of the robot hand is
kept as raw numbers; object meshes live elsewhere; there is no human hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.readers.episode import FRAME_INDEX_ONLY, HumanEpisode, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import index_times, transform_from_quat
from reenact.datasets.readers.licences import TCDM
from reenact.datasets.readers.probes import npz_names
from reenact.datasets.readers.tracks import object_tracks

_WANTED = {"object_translation", "object_orientation", "length"}


def sniff(path: Path) -> bool:
    """An npz with the three names."""
    return npz_names(path) >= _WANTED


def read(path: Path) -> Iterator[HumanEpisode]:
    """The one episode; raises `DamagedSource`."""
    with np.load(path, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    t = int(arrays["length"])
    T = transform_from_quat(arrays["object_translation"], arrays["object_orientation"], "wxyz")
    if len(T) < t:
        raise DamagedSource(f"{path.name} has {len(T)} poses and says length {t}")
    yield HumanEpisode(
        episode_id=path.stem,
        t_ns=index_times(len(T)),
        time_source=FRAME_INDEX_ONLY,
        fps_hz=None,
        world_frame="world",
        provenance=Provenance(
            format="tcdm",
            source=path.name,
            version="flattened npz",
            licence=TCDM,
            translated=("quaternions wxyz kept", "MuJoCo world kept (z up)"),
            unknown=("rate", "hands", "mesh", "task in words"),
        ),
        objects=object_tracks([path.stem.split("_")[0]], T[:, None]),
        extras={"length_frames": np.array([t])}
        | {k: v for k, v in arrays.items() if k.startswith("s_0.") and v.dtype.kind == "f"},
    )
