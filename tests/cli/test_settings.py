"""Any setting can be put from the command line, typed by its own annotation; a wrong one says what would be right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from reenact.cli.run import RunOptions, resolve
from reenact.cli.settings import BadSetting, apply_settings, setting_lines
from reenact.errors import InputError


@dataclass(frozen=True)
class Inner:
    width: float = 1.0
    name: Literal["a", "b"] = "a"
    size: tuple[int, ...] = (1, 2)
    pair: tuple[float, str] = (1.0, "x")


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    on: bool = True
    length: float | None = None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("inner.width=2.5", lambda c: c.inner.width == 2.5),
        ("inner.name=b", lambda c: c.inner.name == "b"),
        ("inner.size=4,5,6", lambda c: c.inner.size == (4, 5, 6)),
        ("inner.pair=3, y", lambda c: c.inner.pair == (3.0, "y")),
        ("on=false", lambda c: c.on is False),
        ("length=0.18", lambda c: c.length == 0.18),
        ("length=none", lambda c: c.length is None),
    ],
)
def test_a_setting_takes_its_place_and_nothing_else_moves(text, read) -> None:
    changed = apply_settings(Outer(), [text])
    assert read(changed)
    before, after = list(setting_lines(Outer())), list(setting_lines(changed))
    assert sum(a != b for a, b in zip(before, after, strict=True)) == (0 if text == "length=none" else 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inner.width", "has no '='"),
        ("inner.hight=3", "one of width, name, size, pair"),
        ("inner=3", "is a group"),
        ("on.x=3", "has no parts"),
        ("inner.name=c", "one of a, b"),
        ("inner.width=wide", "type float"),
        ("inner.pair=1", "2 values"),
        ("on=yes", "true or false"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(text, said) -> None:
    with pytest.raises(BadSetting) as error:
        apply_settings(Outer(), [text])
    assert said in str(error.value)


def test_short_options_win_over_set() -> None:
    config = resolve(RunOptions(videos=(), hand_length=0.17, fov_deg=70.0, set=("hands.hand_length=0.2",)))
    assert config.hands.hand_length == 0.17
    assert config.camera.classical.user.horizontal_fov_deg == 70.0
    with pytest.raises(InputError, match="give one of them"):
        resolve(RunOptions(videos=(), fov_deg=70.0, intrinsics=(1.0, 1.0, 1.0, 1.0)))


def test_every_default_setting_can_be_listed() -> None:
    from reenact.stages.plan import RunConfig

    lines = list(setting_lines(RunConfig()))
    assert len(lines) > 60
    assert any(line.startswith("hands.smooth.") for line in lines)
