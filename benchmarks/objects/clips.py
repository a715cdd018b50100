"""The toy suite: 24 true clips (eight activities, three seeds each; static, orbiting and handheld cameras)."""

from __future__ import annotations

from pathlib import Path

from reenact.scene import Scene
from reenact.toy.activities.catalogue import ACTIVITIES, write_script
from reenact.toy.config import ToyConfig
from reenact.toy.unfilmed import unfilmed_scene

TRUTH_VERSION = 2
"""Raised when true scenes of the same config change; caches of older ones are not read."""
CAMERAS = ("static", "orbit", "handheld")


def suite(first_seed: int = 0, seeds: int = 3) -> list[ToyConfig]:
    """One config per activity and seed; the camera motion turns with the seed."""
    return [
        ToyConfig(
            activity=name, seed=first_seed + k, camera_motion=CAMERAS[(i + k) % 3], clutter=k % 2,
            main_side="left" if k == 1 else "right",
        )
        for k in range(seeds)
        for i, name in enumerate(ACTIVITIES)
    ]  # fmt: skip


def truths(config: ToyConfig, rates_hz: tuple[float, ...], cache: Path) -> dict[float, Scene]:
    """The clip's truth at each frame rate, kept in a cache folder."""
    name = f"{config.activity}-{config.seed}-{config.camera_motion}-{config.clutter}-{config.main_side}-v{TRUTH_VERSION}"
    folders = {rate: cache / f"{name}-{rate:g}" for rate in rates_hz}
    if not all((folder / "states.json").is_file() for folder in folders.values()):
        script = write_script(config)
        for rate, folder in folders.items():
            unfilmed_scene(config.replace(fps_hz=rate), script).save(folder)
    return {rate: Scene.load(folder) for rate, folder in folders.items()}
