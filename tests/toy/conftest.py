"""One small clip of each kind, made once for all tests of the toy world."""

from __future__ import annotations

import pytest

from reenact.errors import SetupError
from reenact.rendering.gl import choose_backend
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig

SMALL = {"width_px": 160, "height_px": 120, "samples": 0, "shadows": False}


@pytest.fixture(scope="session")
def gl() -> str:
    try:
        return choose_backend().name
    except SetupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def push_config() -> ToyConfig:
    return ToyConfig(activity="push", seed=6, fps_hz=3.0, duration_s=4.0, **SMALL)


@pytest.fixture(scope="session")
def push_clip(gl: str, push_config: ToyConfig, tmp_path_factory: pytest.TempPathFactory) -> ToyClip:
    return make_clip(push_config, tmp_path_factory.mktemp("toy") / "push")


@pytest.fixture(scope="session")
def pick_clip(gl: str, tmp_path_factory: pytest.TempPathFactory) -> ToyClip:
    config = ToyConfig(
        activity="pick_place", seed=0, fps_hz=5.0, duration_s=4.0, camera_motion="handheld", **SMALL
    )
    return make_clip(config, tmp_path_factory.mktemp("toy") / "pick")
