"""Two batches at once: all of them, none twice, and a fault that ends the step without cutting off the batch beside it."""

import threading
from collections.abc import Callable, Iterator

import pytest

from tasks import billing, mail_dispatch, rendering


@pytest.fixture(autouse=True)
def _two_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "lanes", lambda: 2)


def batches(sizes: list[int]) -> Callable[[], int]:
    given, lock = iter(sizes), threading.Lock()

    def one() -> int:
        with lock:
            return next(given, 0)

    return one


def test_every_batch_is_counted_once() -> None:
    assert sorted(billing._batches(batches([20, 20, 13, 8, 5, 1]), lambda: False)) == [1, 5, 8, 13, 20, 20]


def test_what_another_visit_leaves_is_taken_over() -> None:
    work = [batches([20]), batches([7, 2])]
    rounds: Iterator[bool] = iter([True, False])

    def present() -> int:
        return work[0]()

    def left() -> bool:
        work.pop(0)
        return next(rounds)

    assert sorted(billing._batches(present, left)) == [2, 7, 20]


def test_a_fault_waits_for_the_batch_beside_it() -> None:
    fails, both = threading.Event(), threading.Barrier(2, timeout=20)
    finished: list[str] = []

    def one() -> int:
        if both.wait() == 0:
            fails.set()
            raise OSError("Archiv voll")
        assert fails.wait(20)
        finished.append("the other one")
        return 0

    with pytest.raises(OSError, match="Archiv voll"):
        list(billing._batches(one, lambda: False))

    assert finished == ["the other one"]


def test_a_postman_whom_the_server_sent_away_tries_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []

    def stopped(*, force: bool) -> mail_dispatch.Dispatched:
        calls.append(force)
        return mail_dispatch.Dispatched(stopped="Mailserver antwortet nicht")

    monkeypatch.setattr(mail_dispatch, "_send_what_waits", stopped)
    post = mail_dispatch.Postman()
    post.deliver()
    post.deliver()

    assert calls == [False]
