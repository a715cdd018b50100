"""BundleSDF stage-1 folders (`video_to_data`): camera poses around one object, depth PNGs, masks.

Source: `keyframes.yml`, `cam_in_ob` = T_object_camera, metres, OpenCV axes. The world is the object's frame moved to
the first camera's (`camera0`), the object stands still. The object's frame is attached to
it but not centred on it (its origin is where the first key frame's camera stood). Trap: `config.yaml` holds the focal length
of the unrectified image (482 for the ball; it says itself that it is overridden at run time); the images are
rectified (426.2). So the lens is read from `calibration.json` in the folder or from a `stereo.edex` that the caller
names, never from config.yaml; without either, there is no camera. Depth PNG: value = 65535 / (1 + Z), Z in metres.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt16

from reenact.datasets.readers.episode import FRAME_INDEX_ONLY, HumanEpisode, Images, Provenance
from reenact.datasets.readers.errors import DamagedSource, LensUnsure
from reenact.datasets.readers.frames import index_times, rigid
from reenact.datasets.readers.licences import BUNDLESDF
from reenact.datasets.readers.plain_yaml import read_plain_yaml
from reenact.datasets.readers.tracks import camera_track, object_tracks, pinhole_params
from reenact.geometry.transforms import inverse


@dataclass(frozen=True)
class BundleSdfConfig:
    """Where the rectified lens is."""

    stereo_edex: Path | None = None
    """`stereo.edex` of the capture; None looks for `calibration.json` in the folder."""


def sniff(path: Path) -> bool:
    """A folder with key-frame poses and depth."""
    return path.is_dir() and (path / "keyframes.yml").is_file() and (path / "depth").is_dir()


def read(path: Path, config: BundleSdfConfig | None = None) -> Iterator[HumanEpisode]:
    """The one episode; raises `LensUnsure` where no rectified lens is at hand, `DamagedSource`."""
    config = config or BundleSdfConfig()
    lens = _lens(path, config)
    table = read_plain_yaml(path / "keyframes.yml")
    names = sorted(table)
    T_object_camera = rigid(np.array([table[n]["cam_in_ob"] for n in names], float).reshape(-1, 4, 4))
    T_camera0_object = inverse(T_object_camera[0])
    t = len(names)
    yield HumanEpisode(
        episode_id=path.name,
        t_ns=index_times(t),
        time_source=FRAME_INDEX_ONLY,
        fps_hz=None,
        world_frame="camera0",
        provenance=Provenance(
            format="bundlesdf",
            source=path.name,
            version="stage 1",
            licence=BUNDLESDF,
            translated=("object frame to the first camera's axes", "lens of the rectified image, not config.yaml's"),
            unknown=("up", "times of key frames", "hands"),
        ),
        camera=camera_track(
            T_camera0_object @ T_object_camera, model="pinhole", params=lens["params"], width_px=lens["width"],
            height_px=lens["height"], world_frame="camera0", truth=False),
        objects=object_tracks(["object"], np.tile(T_camera0_object, (t, 1, 1, 1)), truth=False),
        images=(Images("left", lens["width"], lens["height"]),),
    )  # fmt: skip


def depth_from_png(values: UInt16[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
    """Metres; 0 where the picture holds none (value 0 or 65535)."""
    v = values.astype(np.float64)
    return np.where((v > 0) & (v < 65535), 65535.0 / np.maximum(v, 1.0) - 1.0, 0.0)


def _lens(path: Path, config: BundleSdfConfig) -> dict[str, Any]:
    if config.stereo_edex is not None:
        camera = json.loads(config.stereo_edex.read_text(encoding="utf-8"))[0]["cameras"][0]["intrinsics"]
        if camera["distortion_model"] != "pinhole" or camera["distortion_params"]:
            raise LensUnsure(
                f"stereo.edex holds a {camera['distortion_model']} lens", hint="rectified: pinhole"
            )
        return {"params": [*camera["focal"], *camera["principal"]], "width": camera["size"][0],
                "height": camera["size"][1]}  # fmt: skip
    file = path / "calibration.json"
    if not file.is_file():
        raise LensUnsure(
            "no rectified lens beside the key frames; config.yaml's is of the unrectified image (13 % off)",
            hint="name the capture's stereo.edex: BundleSdfConfig(stereo_edex=...)",
        )
    content = json.loads(file.read_text(encoding="utf-8"))
    if "intrinsic" not in content or "width" not in content or "height" not in content:
        raise DamagedSource(f"{file.name} has {sorted(content)}", hint="intrinsic, width, height")
    return {"params": pinhole_params(np.array(content["intrinsic"], float).reshape(3, 3)),
            "width": content["width"], "height": content["height"]}  # fmt: skip
