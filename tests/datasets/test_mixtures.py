"""Mixtures: the stated weights, the same order for the same seed, resumed to the very sample; splits without leaks."""

from __future__ import annotations

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from reenact.datasets.lerobot.convert import write_dataset
from reenact.datasets.lerobot.statistics import RunningStatistics, merged
from reenact.datasets.mixtures.mixture import Mixture, MixtureSource, WrongState
from reenact.datasets.mixtures.samples import ChunkSamples
from reenact.datasets.mixtures.shuffle import shuffled
from reenact.datasets.mixtures.splits import NoKey, split_episodes
from reenact.datasets.mixtures.weights import METIS_TABLE_6, BadWeights, by_size, normalised
from tests import scenes
from tests.datasets.episodes import tiny_episode

LENGTHS = (40, 700, 90, 31, 1000, 257, 64, 1)


def metis() -> list[MixtureSource]:
    return [MixtureSource(name, n, w) for (name, w), n in zip(METIS_TABLE_6.items(), LENGTHS, strict=True)]


def draws(mixture: Mixture, count: int) -> list:
    return list(itertools.islice(mixture, count))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16, 17, 100, 1000])
def test_a_computed_shuffle_is_a_permutation(count: int) -> None:
    orders = [[shuffled(i, count, 7, epoch) for i in range(count)] for epoch in (0, 1)]
    assert all(sorted(order) == list(range(count)) for order in orders)
    if count >= 16:
        assert orders[0] != orders[1]
        assert orders[0] != list(range(count))


def test_a_shuffle_is_even() -> None:
    """Where element 0 lands over many keys is uniform."""
    places = Counter(shuffled(0, 10, key) for key in range(2000))
    assert chisquare([places[i] for i in range(10)]).pvalue > 1e-3


def test_sources_come_as_often_as_stated() -> None:
    count = 10_000
    found = Counter(ref.source for ref in draws(Mixture(metis(), seed=1), count))
    shares = normalised(METIS_TABLE_6)
    expected = np.array([shares[name] for name in METIS_TABLE_6]) * count
    assert chisquare([found[name] for name in METIS_TABLE_6], expected).pvalue > 1e-3
    wrong = np.roll(expected, 1)
    assert chisquare([found[name] for name in METIS_TABLE_6], wrong).pvalue < 1e-9  # the test can fail


def test_the_order_is_that_of_seed_and_worker() -> None:
    same = [draws(Mixture(metis(), seed=3, worker=1, workers=2), 500) for _ in range(2)]
    assert same[0] == same[1]
    assert draws(Mixture(metis(), seed=4, worker=1, workers=2), 500) != same[0]
    assert draws(Mixture(metis(), seed=3, worker=0, workers=2), 500) != same[0]


def test_every_sample_once_before_any_twice_also_with_workers() -> None:
    source = [MixtureSource("only", 97, 1.0)]
    for workers in (1, 3):
        streams = [Mixture(source, seed=5, worker=w, workers=workers) for w in range(workers)]
        refs = [next(stream) for _ in range(2 * 97 // workers + 1) for stream in streams]
        for epoch in (0, 1):
            seen = [r.index for r in refs if r.epoch == epoch][:97]
            assert sorted(seen) == list(range(97))


@pytest.mark.parametrize("after", [0, 1, 700, 1023, 1024, 1025])
def test_resuming_goes_on_with_the_very_next_sample(after: int) -> None:
    whole = draws(Mixture(metis(), seed=9), after + 50)
    first = Mixture(metis(), seed=9)
    draws(first, after)
    state = json.loads(json.dumps(first.state()))
    second = Mixture(metis(), seed=9)
    draws(second, 13)  # wherever it was before
    second.restore(state)
    assert draws(second, 50) == whole[after:]


def test_a_state_of_something_else_is_refused() -> None:
    state = Mixture(metis(), seed=9).state()
    with pytest.raises(WrongState, match="seed"):
        Mixture(metis(), seed=8).restore(state)
    with pytest.raises(WrongState, match="sources"):
        Mixture(metis()[:-1], seed=9).restore(state)


def test_weights_that_say_nothing_are_refused() -> None:
    for weights in ({"a": 0.0}, {"a": -1.0, "b": 2.0}, {"a": float("nan")}, {"a": float("inf")}):
        with pytest.raises(BadWeights):
            normalised(weights)
    with pytest.raises(BadWeights, match="without samples"):
        Mixture([MixtureSource("a", 0, 1.0)], seed=0)
    never = Mixture([MixtureSource("a", 5, 1.0), MixtureSource("b", 0, 0.0)], seed=0)
    assert {ref.source for ref in draws(never, 200)} == {"a"}
    assert by_size({"a": 100, "b": 300}) == {"a": 0.25, "b": 0.75}
    assert by_size({"a": 100, "b": 300}, power=0) == {"a": 0.5, "b": 0.5}


def test_samples_are_frames_with_the_next_steps(tmp_path) -> None:
    made = [tiny_episode(n, 7 + n) for n in range(3)]
    write_dataset(tmp_path / "set", made, robot_type="toy", provenance={})
    samples = ChunkSamples(tmp_path / "set", 4, episodes=[0, 2])
    assert len(samples) == 7 + 9
    sample = samples[7 + 7]  # frame 7 of episode 2, two steps before its end
    assert scenes.read_number(sample["observation.images.front"]) == 32 + 7
    action = made[2].columns["action"].astype(np.float32)
    np.testing.assert_array_equal(sample["action"], action[[7, 8, 8, 8]])
    np.testing.assert_array_equal(sample["chunk_valid"], [True, True, False, False])
    np.testing.assert_array_equal(
        sample["observation.state"], made[2].columns["observation.state"][7].astype("f4")
    )
    assert samples.task(14) == "task 0"
    with pytest.raises(IndexError):
        samples[16]


def test_nothing_shared_crosses_a_split() -> None:
    rng = np.random.default_rng(0)
    facts = [
        {"id": f"e{i}", "session": f"s{rng.integers(200)}", "subject": f"p{rng.integers(150)}"}
        for i in range(400)
    ]
    for by in (("id",), ("session",), ("subject",)):
        split = split_episodes(facts, {"train": 0.8, "val": 0.1, "test": 0.1}, by=by, seed=1)
        assert sorted(i for places in split.values() for i in places) == list(range(400))
        for a, b in itertools.combinations(split, 2):
            for key in by:
                assert not {facts[i][key] for i in split[a]} & {facts[i][key] for i in split[b]}
        assert 0.7 < len(split["train"]) / 400 < 0.9
    chain = [
        {"session": "a", "subject": "p"},
        {"session": "a", "subject": "q"},
        {"session": "b", "subject": "q"},
    ]
    for seed in range(20):  # tied through the second
        split = split_episodes(chain, {"train": 0.5, "val": 0.5}, by=("session", "subject"), seed=seed)
        assert sorted(map(len, split.values())) == [0, 3]
    with pytest.raises(NoKey):
        split_episodes([{"id": "x"}], {"train": 1.0}, by=("subject",))


def test_a_split_is_steady_when_episodes_are_added() -> None:
    facts = [{"id": f"e{i}"} for i in range(300)]
    before = split_episodes(facts[:200], {"train": 0.8, "val": 0.2})
    after = split_episodes(facts, {"train": 0.8, "val": 0.2})
    assert set(before["val"]) <= set(after["val"])
    assert set(before["train"]) <= set(after["train"])


def test_statistics_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal([1e4, 0.0], [1.0, 1e-3], (20_000, 2)) ** [[1, 3]]
    parts = []
    for chunk in np.array_split(rows, 7):
        parts.append(RunningStatistics())
        for batch in np.array_split(chunk, 11):
            parts[-1].add(batch)
    total = merged(parts)
    result = total.result()
    for name, true in (
        ("mean", rows.mean(0)),
        ("std", rows.std(0)),
        ("min", rows.min(0)),
        ("max", rows.max(0)),
    ):
        np.testing.assert_allclose(result[name], true, rtol=1e-9, atol=1e-15)
    assert 0 < total.sketch.rank_error < 0.01
    for name, fraction in (("q01", 0.01), ("q10", 0.1), ("q50", 0.5), ("q90", 0.9), ("q99", 0.99)):
        ranks = (rows < result[name]).mean(0)
        assert np.abs(ranks - fraction).max() <= total.sketch.rank_error + 1e-4
