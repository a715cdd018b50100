from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from reenact.pipeline.errors import ItemError, StageGraphError, UnkeyableError
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.stage import Stage


@dataclass(frozen=True)
class Empty:
    pass


@dataclass
class Thawed:
    x: int = 1


@dataclass(frozen=True)
class WithList:
    x: object


def stage(name, *inputs, config=Empty(), version="1"):
    return Stage(name, version, config, inputs, lambda call: None)


def test_stages_run_after_their_inputs_whatever_order_they_are_given_in():
    stages = [stage("d", "b", "c"), stage("c", "a"), stage("b", "a", "video"), stage("a", "video")]
    order = [s.name for s in Pipeline(stages).stages]
    assert order == ["a", "c", "b", "d"]
    assert [s.name for s in Pipeline(stages[::-1]).stages] == ["a", "b", "c", "d"]


def test_upto_keeps_only_what_is_needed():
    pipeline = Pipeline([stage("a", "video"), stage("b", "a"), stage("c", "a"), stage("d", "c")])
    assert [s.name for s in pipeline.upto(["d"]).stages] == ["a", "c", "d"]
    assert [s.name for s in pipeline.upto(["b", "c"]).stages] == ["a", "b", "c"]


def test_force_reaches_all_that_read_from_a_stage():
    pipeline = Pipeline([stage("a", "video"), stage("b", "a"), stage("c", "a"), stage("d", "c")])
    assert pipeline.with_all_after(["c"]) == {"c", "d"}
    assert pipeline.with_all_after(["a"]) == {"a", "b", "c", "d"}
    assert pipeline.with_all_after([]) == frozenset()


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([stage("a", "vide")], "vide"),
        ([stage("a", "b"), stage("b", "a")], "circle"),
        ([stage("a"), stage("a")], "twice"),
        ([stage("video")], "twice"),
    ],
)
def test_stages_that_do_not_fit_are_refused(stages, words):
    with pytest.raises(StageGraphError, match=words):
        Pipeline(stages)


def test_an_unknown_stage_is_answered_with_the_known_ones():
    with pytest.raises(StageGraphError, match="known: a, b"):
        Pipeline([stage("a"), stage("b")]).upto(["hands"])


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "a.b", "1a", "-", "a" * 65])
def test_names_that_are_no_folder_names_are_refused(name):
    with pytest.raises(StageGraphError):
        stage(name)


def test_configs_must_be_frozen_and_keyable_when_the_stage_is_made():
    with pytest.raises(StageGraphError, match="Thawed"):
        stage("a", config=Thawed())
    with pytest.raises(StageGraphError, match="dict"):
        stage("a", config={"x": 1})
    with pytest.raises(UnkeyableError, match=r"a\.config\.x is a builtins\.list"):
        stage("a", config=WithList([1]))
    with pytest.raises(StageGraphError, match="version"):
        stage("a", version="")


@pytest.mark.parametrize("item_id", ["", "a\nb", "x" * 201, "\x1b[31m"])
def test_item_ids_are_printable(item_id):
    with pytest.raises(ItemError):
        Item(item_id, {"video": Path("x")})
