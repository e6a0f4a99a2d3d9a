"""Results in order, a bounded number ahead, errors where their result would be, nothing left running."""

import threading
import time
from collections.abc import Iterator

import pytest

from quatrain.tokenizers.threads import in_order


def test_results_come_in_order_whichever_is_done_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * number

    assert list(in_order(work, range(20), threads=4, ahead=6)) == [(number, number * number) for number in range(20)]


def test_no_more_is_read_than_was_allowed() -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    results = in_order(str, items(), threads=2, ahead=5)
    for taken in range(10):
        next(results)
        assert len(read) == taken + 6
    results.close()
    assert len(read) == 15


def test_an_error_comes_where_its_result_would_and_ends_all() -> None:
    def work(number: int) -> int:
        return 6 // (number - 3)

    results = in_order(work, range(100), threads=2, ahead=3)
    assert [made for _, made in (next(results), next(results), next(results))] == [-2, -3, -6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]
