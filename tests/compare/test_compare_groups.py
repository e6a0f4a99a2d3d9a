"""Which runs belong together, what sets groups apart, and which of several results counts."""

import itertools
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.compare.finding import Found
from quatrain.compare.grouping import OF_THE_RUN, group
from quatrain.compare.knobs import knobs_of, short_names, shown_values
from quatrain.compare.results import Result

COUNT = itertools.count()


def result(seed: int, folder: str = "", *, named: str = "sweep", place: int = 0, **leaves: Any) -> Result:
    """A result of ``seed``; leaves by keys with two underscores for a dot."""
    folder = folder or f"run-{next(COUNT):08x}"
    keys = {key.replace("__", "."): value for key, value in leaves.items()}
    found = Found(Path(named) / folder / "result.json", named, place)
    return Result(found, "tried", seed, {"seed": seed, **keys}, "val/loss", "min", {}, {})


def seeds(results: list[Result], **words: Any) -> list[list[int]]:
    return sorted(list(members.by_seed) for members in group(results, **words)[0])


def test_runs_that_differ_in_the_seed_alone_are_one_group() -> None:
    runs = [result(seed, lr=lr, data__seed=seed) for lr in (1, 2) for seed in (3, 1, 2)]
    groups, replaced = group(runs)
    assert [list(members.by_seed) for members in groups] == [[1, 2, 3], [1, 2, 3]]
    assert [members.settings for members in groups] == [{"lr": lr, "data.seed": OF_THE_RUN} for lr in (1, 2)]
    assert replaced == []


def test_a_data_seed_that_somebody_set_is_a_setting() -> None:
    """Where data.seed stays 1 while the seed changes it is one group, though for seed 1 the two are equal."""
    assert seeds([result(seed, data__seed=1) for seed in (1, 2, 3)]) == [[1, 2, 3]]
    crossed = [result(seed, data__seed=data) for seed in (1, 2) for data in (1, 2)]
    assert seeds(crossed) == [[1, 2], [1, 2]]


def test_the_newest_result_of_a_config_and_seed_counts() -> None:
    names = ["lr-1-0123abcd-2", "lr-1-0123abcd-10", "lr-1-0123abcd"]
    groups, replaced = group([result(1, name, lr=1) for name in names])
    assert groups[0].by_seed[1].found.path.parent.name == "lr-1-0123abcd-10"
    assert {one.found.path.parent.name for one in replaced} == {"lr-1-0123abcd-2", "lr-1-0123abcd"}
    single = ["20261102-101500-default-0123abcd", "20261030-101500-default-0123abcd-2"]
    assert group([result(1, name) for name in single])[0][0].by_seed[1].found.path.parent.name == single[0]


def test_folders_are_kept_apart_on_demand() -> None:
    runs = [result(seed, named=name, place=place) for place, name in enumerate(("old", "new")) for seed in (1, 2)]
    groups, replaced = group(runs)
    assert len(groups) == 1
    assert {run.found.folder for run in groups[0].by_seed.values()} == {"new"}, "the one that is named last"
    assert len(replaced) == 2
    apart, replaced = group(runs, by_folder=True)
    assert [members.settings["folder"] for members in apart] == ["new", "old"]
    assert replaced == []


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_order_of_results_does_not_matter(data: st.DataObject) -> None:
    keys = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(0, 9))
    drawn = data.draw(st.lists(keys, min_size=1, max_size=12, unique=True))
    runs = [result(seed, f"a-{number:08x}-2", lr=lr, data__seed=own) for seed, lr, own, number in drawn]
    found = group(runs)[0]
    assert group(data.draw(st.permutations(runs)))[0] == found
    assert {seed for members in found for seed in members.by_seed} == {one.seed for one in runs}


def test_knobs_are_what_differs() -> None:
    found, decided = knobs_of([{"a": 1, "b.c": 1, "d": 0}, {"a": 2, "b.c": 1, "d": 0}, {"a": 2, "b.c": 5, "d": 0}])
    assert [(knob.keys, knob.levels) for knob in found] == [(("a",), (0, 1, 1)), (("b.c",), (0, 0, 1))]
    assert decided == []


def test_settings_that_change_together_are_one_knob() -> None:
    found, _ = knobs_of([{"lr": lr, "batch": 8 * lr, "same": 1} for lr in (1, 2, 2, 1)])
    assert [(knob.keys, knob.columns, knob.hidden) for knob in found] == [(("batch", "lr"), ("batch", "lr"), 0)]
    many = [{f"k{place}": value for place in range(9)} for value in "ab"]
    (knob,) = knobs_of(many)[0]
    assert (knob.columns, knob.hidden) == (("k0",), 8)


def test_what_a_search_samples_stays_apart() -> None:
    """Each value comes once, so that all partitions are alike; the orders are not."""
    drawn = [{"lr": lr, "width": width, "twice": 2 * width} for lr, width in zip("31524", "13245", strict=True)]
    numbers = [{key: int(value) for key, value in one.items()} for one in drawn]
    assert [knob.keys for knob in knobs_of(numbers)[0]] == [("lr",), ("twice", "width")]


def test_what_the_name_decides_is_no_knob() -> None:
    groups = [{"name": name, "task": name != "a", "model": name.upper(), "lr": lr} for name in "abc" for lr in (1, 2)]
    found, decided = knobs_of(groups)
    assert [knob.keys for knob in found] == [("model", "name"), ("lr",)]
    assert decided == ["task"]


def test_a_setting_that_some_lack_differs() -> None:
    (knob,) = knobs_of([{"x": None}, {}])[0]
    assert knob.levels == (0, 1)


def test_short_names_are_unambiguous() -> None:
    keys = ["optimizer.lr", "model.config.lr", "model.config.n_embd", "schedule._target_", "seed", "bad\x1b.key\n"]
    assert list(short_names(keys).values()) == ["optimizer.lr", "config.lr", "n_embd", "schedule", "seed", "key\\n"]


def test_values_are_as_short_as_they_stay_different() -> None:
    assert shown_values("lr", [0.001, 0.1 + 0.2]) == ["0.001", "0.3"]
    assert shown_values("lr", [0.30001, 0.30002]) == ["0.30001", "0.30002"]
    assert shown_values("lr", [0.1 + 0.2, 0.3]) == ["0.30000000000000004", "0.3"]
    assert shown_values("data.source", ["/a/one.txt", "/b/two.txt"]) == ["one.txt", "two.txt"]
    assert shown_values("data.source", ["/a/x.txt", "/b/x.txt"]) == ["/a/x.txt", "/b/x.txt"]
    assert shown_values("optimizer._target_", ["torch.optim.AdamW", "torch.optim.SGD"]) == ["AdamW", "SGD"]
    assert shown_values("x", ["a\x1b[31m", None, True, [1, 2]]) == ["a\\x1b[31m", "null", "true", "[1, 2]"]
