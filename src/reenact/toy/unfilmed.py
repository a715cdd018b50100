"""The truth of a toy clip without its film: as `make_clip` would store it, in a second instead of a minute."""

from __future__ import annotations

import numpy as np

from reenact.scene import Scene
from reenact.toy.activities.catalogue import write_script
from reenact.toy.cameras import camera_path, make_camera
from reenact.toy.clip import CAMERA_BRANCH
from reenact.toy.config import ToyConfig
from reenact.toy.script import Script, perform
from reenact.toy.truth import frame_times_ns, true_clip, true_scene


def unfilmed_scene(config: ToyConfig, script: Script | None = None) -> Scene:
    """All true records of a config's clip (the video's hash is empty); `script`: the config's, where it is at hand.

    Raises:
        ToyConfigError: unknown activity.
        ScriptNotFound: no faultless script for these values.
    """
    script = script or write_script(config)
    seconds = config.duration_s or script.duration
    frames = max(round(seconds * config.fps_hz), 1)
    t = frame_times_ns(config.fps_hz, frames) * 1e-9
    performance = perform(script, t * (script.duration / seconds))
    T_world_camera = camera_path(config, np.random.default_rng([config.seed, CAMERA_BRANCH]), t)
    clip = true_clip(config, frames, "")
    return true_scene(config, clip, script, performance, make_camera(config), T_world_camera)
