"""Every reader by name: its licence, how it knows its files, and how it opens them."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reenact.datasets.readers import (
    actionnet,
    arctic,
    bundlesdf,
    dexycb,
    egodex,
    egoverse,
    gloves,
    h2o,
    ho3d,
    hoi4d,
    holoassist,
    hot3d,
    lerobot,
    licences,
    oakink2,
    own,
    ph2d,
    taco,
    tcdm,
    vitra,
)
from reenact.datasets.readers.episode import Episode, HumanEpisode, Licence
from reenact.datasets.readers.errors import DamagedSource, UnknownFormat
from reenact.geometry.transforms import apply, inverse

_BROKEN = (
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    OSError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
"""What numpy, h5py, json, csv and dictionaries raise on files that are cut or hold other things than promised."""


@dataclass(frozen=True)
class Reader:
    """One published format."""

    name: str
    licence: Licence
    kind: str
    """"human" or "robot": what it yields (PH2D yields either)."""
    sniff: Callable[[Path], bool]
    """Whether the path is of this format; looks, never unpickles, never raises on foreign files."""
    open: Callable[..., Iterator[Episode]]
    """`open(path)` or `open(path, config)` with the config class of the reader's file."""


READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader("reenact_scene", licences.OWN, "human", own.sniff_scene, own.read_scene),
        Reader("reenact_trajectory", licences.OWN, "robot", own.sniff_trajectory, own.read_trajectory),
        Reader("lerobot_v21", licences.LEROBOT, "robot", lerobot.sniff_v21, lerobot.read_v21),
        Reader("lerobot_v30", licences.LEROBOT, "robot", lerobot.sniff_v30, lerobot.read_v30),
        Reader("hot3d", licences.HOT3D, "human", hot3d.sniff, hot3d.read),
        Reader("dexycb", licences.DEXYCB, "human", dexycb.sniff, dexycb.read),
        Reader("taco", licences.TACO, "human", taco.sniff, taco.read),
        Reader("tcdm", licences.TCDM, "human", tcdm.sniff, tcdm.read),
        Reader("egodex", licences.EGODEX, "human", egodex.sniff, egodex.read),
        Reader("h2o", licences.H2O, "human", h2o.sniff, h2o.read),
        Reader("holoassist", licences.HOLOASSIST, "human", holoassist.sniff, holoassist.read),
        Reader("arctic", licences.ARCTIC, "human", arctic.sniff, arctic.read),
        Reader("oakink2", licences.OAKINK2, "human", oakink2.sniff, oakink2.read),
        Reader("ho3d", licences.HO3D, "human", ho3d.sniff, ho3d.read),
        Reader("hoi4d", licences.HOI4D, "human", hoi4d.sniff, hoi4d.read),
        Reader("ph2d", licences.PH2D, "human", ph2d.sniff, ph2d.read),
        Reader("actionnet", licences.ACTIONNET, "robot", actionnet.sniff, actionnet.read),
        Reader("vitra", licences.VITRA, "human", vitra.sniff, vitra.read),
        Reader("egoverse", licences.EGOVERSE, "human", egoverse.sniff, egoverse.read),
        Reader("gloves", licences.GLOVES, "human", gloves.sniff, gloves.read),
        Reader("bundlesdf", licences.BUNDLESDF, "human", bundlesdf.sniff, bundlesdf.read),
    )
}


METIS_TABLE_6: dict[str, float] = {
    "h2o": 0.8,
    "oakink2": 1.9,
    "ph2d": 5.4,
    "arctic": 2.8,
    "egodex": 40.3,
    "holoassist": 10.6,
    "actionnet": 13.4,
    "gloves": 25.4,
}
"""Sampling weights (%) of METIS's pretraining mixture, by reader (METIS, table 6). As printed they sum to 100.6;
its OakInk is the first version, ours reads the second."""


def recognise(path: Path) -> Reader:
    """The one reader that knows the path.

    Raises:
        UnknownFormat: none does, or several do.
    """
    path = Path(path)
    if not path.exists():
        raise UnknownFormat(f"{path} does not exist")
    found = [reader for reader in READERS.values() if reader.sniff(path)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnknownFormat(f"{path.name} is of no format known here", hint=f"known: {', '.join(READERS)}")
    raise UnknownFormat(f"{path.name} could be {', '.join(r.name for r in found)}", hint="name the reader")


def open_dataset(path: Path, name: str | None = None, config: Any = None) -> Iterator[Episode]:
    """Episodes of a path, by a named reader or the one that recognises it.

    Raises:
        UnknownFormat: no such reader, or the path is not recognised; the readers raise their own errors.
        DamagedSource: broken files, or hands behind the camera that sees them.
    """
    if name is not None and name not in READERS:
        raise UnknownFormat(f"no reader {name!r}", hint=f"known: {', '.join(READERS)}")
    reader = READERS[name] if name is not None else recognise(Path(path))
    return _checked(reader, Path(path), config)


def _checked(reader: Reader, path: Path, config: Any) -> Iterator[Episode]:
    """The reader's episodes; what breaks inside on broken files becomes `DamagedSource`."""
    try:
        for episode in reader.open(path) if config is None else reader.open(path, config):
            if isinstance(episode, HumanEpisode):
                _before_the_camera(episode)
            yield episode
    except _BROKEN as error:
        raise DamagedSource(
            f"{path.name} is not whole or not as {reader.name} lays it out: {type(error).__name__}: {error}"
        ) from error


def _before_the_camera(episode: HumanEpisode) -> None:
    """A camera sees hands before it; most of them behind it means a pose read the wrong way round."""
    camera, hands = episode.camera, episode.hands
    if camera is None or hands is None or not (both := hands.valid & camera.valid[:, None]).any():
        return
    z = apply(inverse(camera.T_world_camera)[:, None], hands.joints_world)[both][..., 2]
    if (z > 0).mean() < 0.5:
        raise DamagedSource(
            f"{episode.episode_id!r}: {(z <= 0).mean():.0%} of the hands' joints lie behind the camera",
            hint="camera poses the other way round, or other camera axes",
        )
