from __future__ import annotations

import dataclasses
import enum
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.pipeline.canonical import canonical_json
from reenact.pipeline.errors import ItemError, UnkeyableError
from reenact.pipeline.keys import source_key, stage_key


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass(frozen=True)
class Inner:
    limits: tuple[float, ...] = (0.5, 2.0)
    colour: Colour = Colour.RED


@dataclasses.dataclass(frozen=True)
class Outer:
    name: str = "a"
    count: int = 3
    gain: float = 0.1
    on: bool = True
    nothing: None = None
    inner: Inner = Inner()
    path: Path = Path("models/x.tflite")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda children: st.lists(children, max_size=4).map(tuple),
    max_leaves=12,
)


@dataclasses.dataclass(frozen=True)
class Box:
    value: object


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_equal_values_have_equal_text_and_others_another(a, b):
    def is_same(x, y):
        if isinstance(x, tuple) or isinstance(y, tuple):
            both = isinstance(x, tuple) and isinstance(y, tuple)
            return both and len(x) == len(y) and all(is_same(i, j) for i, j in zip(x, y, strict=True))
        return isinstance(x, bool) == isinstance(y, bool) and x == y

    assert (canonical_json(Box(a)) == canonical_json(Box(b))) == is_same(a, b)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_their_text(x):
    assert json.loads(canonical_json(Box(x)))["fields"]["value"] == x


def test_whole_floats_are_integers_and_zero_has_no_sign():
    assert canonical_json(Box(1.0)) == canonical_json(Box(1))
    assert canonical_json(Box(-0.0)) == canonical_json(Box(0.0))
    assert canonical_json(Box(True)) != canonical_json(Box(1))
    assert canonical_json(Box(0.1 + 0.2)) != canonical_json(Box(0.3))


def test_field_order_does_not_matter():
    one = dataclasses.make_dataclass("Config", [("a", int), ("b", float)], frozen=True)(a=1, b=2.5)
    two = dataclasses.make_dataclass("Config", [("b", float), ("a", int)], frozen=True)(b=2.5, a=1)
    assert canonical_json(one) == canonical_json(two)
    other_class = dataclasses.make_dataclass("Settings", [("a", int), ("b", float)], frozen=True)(a=1, b=2.5)
    assert canonical_json(one) != canonical_json(other_class)


CHANGES = [
    {"name": "b"},
    {"count": 4},
    {"gain": 0.1000000001},
    {"on": False},
    {"inner": Inner((0.5, 2.5))},
    {"inner": Inner((2.0, 0.5))},
    {"inner": Inner(colour=Colour.BLUE)},
    {"path": Path("models/y.tflite")},
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_changed_field_changes_the_key(change):
    before = stage_key("hands", "1", Outer(), {"clip": "k"})
    assert before == stage_key("hands", "1", dataclasses.replace(Outer()), {"clip": "k"})
    assert before != stage_key("hands", "1", dataclasses.replace(Outer(), **change), {"clip": "k"})


def test_name_version_and_inputs_change_the_key():
    keys = {
        stage_key("hands", "1", Outer(), {"clip": "k"}),
        stage_key("hand", "1", Outer(), {"clip": "k"}),
        stage_key("hands", "2", Outer(), {"clip": "k"}),
        stage_key("hands", "1", Outer(), {"clip": "l"}),
        stage_key("hands", "1", Outer(), {"video": "k"}),
        stage_key("hands", "1", Outer(), {}),
    }
    assert len(keys) == 6
    assert all(len(key) == 64 for key in keys)


def test_order_of_inputs_does_not_matter():
    assert stage_key("s", "1", Box(1), {"a": "x", "b": "y"}) == stage_key(
        "s", "1", Box(1), {"b": "y", "a": "x"}
    )


def test_the_key_is_the_same_in_every_process_and_release():
    """A fixed key: if this changes, every stored artefact of every user is made again. Raise KEY_FORMAT instead."""
    key = stage_key("hands", "1", Outer(), {"clip": "k"})
    assert key == "8aaf7b9347062a3a7b313576ba279e1a9523abdeb752ec14fe698dfbb7299d75"


BAD = [
    (np.float64(1.0), "float64"),
    (np.zeros(2), "ndarray"),
    ([1, 2], "list"),
    ({"a": 1}, "dict"),
    ({1}, "set"),
    (b"x", "bytes"),
    (float("nan"), "nan"),
    (float("inf"), "inf"),
    (1j, "complex"),
    (Outer, "type"),
    (print, "builtin_function"),
    ((1, [2]), "list"),
]


@pytest.mark.parametrize(("value", "words"), BAD)
def test_anything_else_is_refused_by_field_name(value, words):
    with pytest.raises(UnkeyableError, match=words) as caught:
        canonical_json(Box(value))
    assert "config.value" in caught.value.message
    assert caught.value.hint


def test_source_keys_follow_bytes_not_names(tmp_path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    assert source_key(tmp_path / "a") == source_key(tmp_path / "b") != source_key(tmp_path / "c")


def test_folder_keys_follow_names_and_bytes_inside(tmp_path):
    def make(folder, files):
        for name, content in files.items():
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_bytes(content)
        return source_key(tmp_path / folder)

    one = make("one", {"x/1.png": b"1", "x/2.png": b"2"})
    assert one == make("two", {"x/2.png": b"2", "x/1.png": b"1"})
    assert one != make("three", {"x/1.png": b"2", "x/2.png": b"1"})
    assert one != make("four", {"x/1.png": b"1"})


def test_absent_source_is_a_named_error(tmp_path):
    with pytest.raises(ItemError, match="no such file"):
        source_key(tmp_path / "absent")
