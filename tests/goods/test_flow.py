"""The flow as processes run it: twice, by two ways at once, killed between every two transactions, in a burst."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import folder, inbox, scanning, shipping
from deployments.relay import BELLED, serve_all
from flows.expiry_watch import expiry_watch
from flows.goods_receipt import goods_receipt
from kit import clock, steps
from kit.database import Role, engine, unit_of_work
from models.assets import Asset, ExpiryNotice
from models.goods import Delivery, GoodsReceipt
from models.plumbing import ArchivedObject, InboxItem, InboxState, NumberRange, OutboxEvent
from models.service_desk import Ticket
from rules.expiry import NoticeState
from tasks import expiry_watch as expiry_tasks
from tasks import goods_receipt as tasks
from tests.goods import world

pytestmark = pytest.mark.usefixtures("committed")


def stock(orders: int = 1) -> None:
    with unit_of_work("test") as session:
        customer, supplier = world.house_and_customer(session), world.supplier(session)
        notebook = world.product(session, "NB-1")
        for number in range(orders):
            world.order(session, supplier, customer, notebook, 2, number=f"B-{number}", customer_order=f"KA-{number}")


def put(number: int) -> None:
    raw = world.receipt_bytes(
        world.line("NB-1", 2, [f"S{number}-1", f"S{number}-2"], number=f"B-{number}"), note=f"LS-{number}"
    )
    with unit_of_work("test") as session:
        inbox.receive(session, raw)


def state() -> dict[str, Any]:
    """What a person would count."""
    with unit_of_work("test") as session:

        def count(model: Any, *where: Any) -> int:
            return session.scalar(sa.select(sa.func.count()).select_from(model).where(*where)) or 0

        numbers = sorted(session.scalars(sa.select(Ticket.number)))
        last = session.scalar(sa.select(NumberRange.last).where(NumberRange.prefix == "T")) or 0
        return {
            "receipts": count(GoodsReceipt),
            "deliveries": count(Delivery),
            "tickets": len(numbers),
            "without gap": last == len(numbers),
            "assets": count(Asset, Asset.delivery_line_id.is_not(None)),
            "pick lists": count(Delivery, Delivery.pick_list_key.is_not(None)),
            "archived": count(ArchivedObject),
            "waiting": count(InboxItem, InboxItem.state == InboxState.WAITING),
            "to start": count(OutboxEvent, OutboxEvent.dispatched_at.is_(None)),
        }


DONE = {
    "receipts": 2, "deliveries": 2, "tickets": 2, "without gap": True, "assets": 4, "pick lists": 2, "archived": 2,
    "waiting": 0, "to start": 0,
}  # fmt: skip


def test_a_second_run_changes_nothing() -> None:
    stock(2)
    put(0)
    put(1)
    steps.plain(goods_receipt)
    assert state() == DONE
    outcome = steps.plain(goods_receipt)
    assert state() == DONE
    assert "0 Meldungen" in str(outcome)


def killed_at(commits: int, flow: Any = goods_receipt, *, before: bool = False) -> bool:
    """Run the flow in a process of its own and kill it with -9 at so many transactions; False when it ended before.

    `before` kills with the work done and not yet committed: what was written outside the database has no row then.
    """
    child = os.fork()
    if child == 0:
        done = 0
        real = unit_of_work

        @contextmanager
        def counted(*args: Any, **kwargs: Any) -> Iterator[Session]:
            nonlocal done
            with real(*args, **kwargs) as session:
                yield session
                done += 1
                if before and done == commits:
                    os.kill(os.getpid(), signal.SIGKILL)
            if done == commits:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            for module in (tasks, folder, expiry_tasks):
                vars(module)["unit_of_work"] = counted
            steps.plain(flow)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_between_every_two_transactions_it_ends_the_same() -> None:
    stock(2)
    put(0)
    put(1)
    kills = 0
    while killed_at(kills + 1):  # each process gets one transaction further than the one before
        kills += 1
    assert state() == DONE
    assert kills >= 5


@pytest.mark.parametrize("commits", [3, 7, 12])
@pytest.mark.parametrize("before", [False, True])
def test_killed_once_at_any_boundary_it_ends_the_same(commits: int, before: bool) -> None:
    stock(2)
    put(0)
    put(1)
    killed_at(commits, before=before)
    steps.plain(goods_receipt)
    assert state() == DONE


def test_killed_between_the_basket_and_the_move_a_file_is_met_again_and_booked_once(home: Path) -> None:
    stock(1)
    path = folder.folder() / "avis.json"
    path.write_bytes(world.receipt_bytes(world.line("NB-1", 2, ["S0-1", "S0-2"], number="B-0"), note="LS-0"))
    os.utime(path, (1, 1))
    kills = 0
    while killed_at(kills + 1):
        kills += 1
        assert kills > 1 or path.exists()  # its row is safe, it is not moved yet
    found = state()
    assert (found["receipts"], found["tickets"], found["assets"], found["waiting"], found["to start"]) == (1, 1, 2, 0, 0)
    assert not path.exists()
    for done in (folder.folder() / folder.DONE).iterdir():
        done.unlink()


def test_killed_while_the_parcel_papers_are_made_each_is_made_once() -> None:
    stock(1)
    put(0)
    steps.plain(goods_receipt)
    with unit_of_work("test") as session:
        delivery = session.scalars(sa.select(Delivery)).one()
        for serial in ("S0-1", "S0-2"):
            scanning.pick(session, delivery.id, serial, "test")
        shipping.pack(session, delivery.id, 1, "test")
    kills = 0
    while killed_at(kills + 1, before=bool(kills % 2)):
        kills += 1
    assert kills >= 4
    with unit_of_work("test") as session:
        kinds = sorted(key.split("/")[0] for key in session.scalars(sa.select(ArchivedObject.key)))
        assert kinds == ["goods-delivery-note", "goods-label", "goods-packing-list", "goods-pick-list"]


@pytest.mark.promise("S23")
def test_the_watch_over_ends_killed_anywhere_tells_each_end_once() -> None:
    stock(1)
    with unit_of_work("test") as session:
        customer = session.scalars(sa.text("SELECT id FROM customer")).one()
        for number in range(3):
            session.add(
                Asset(customer_id=customer, inventory_no=f"A{number}", asset_class="server", warranty_until=clock.today())
            )
    kills = 0
    while killed_at(kills + 1, expiry_watch):
        kills += 1
    assert kills >= 2
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Ticket)) == 1
        assert session.scalars(sa.select(ExpiryNotice.state)).all() == [NoticeState.TOLD] * 3


def test_two_ways_at_the_same_moment_are_one_receipt(home: Path) -> None:
    stock(1)
    raw = world.receipt_bytes(world.line("NB-1", 2, ["S0-1", "S0-2"], number="B-0"), note="LS-0")
    path = folder.folder() / "avis.json"
    path.write_bytes(raw)
    os.utime(path, (1, 1))
    ways = [threading.Thread(target=put, args=(0,)), threading.Thread(target=folder.take_all)]
    runs = [threading.Thread(target=steps.plain, args=(goods_receipt,)) for _ in range(3)]
    for thread in (*ways, *runs):
        thread.start()
    for thread in (*ways, *runs):
        thread.join()
    steps.plain(goods_receipt)
    found = state()
    assert (found["receipts"], found["tickets"], found["assets"], found["waiting"]) == (1, 1, 2, 0)
    assert not path.exists()
    assert len(list((folder.folder() / folder.DONE).iterdir())) >= 1
    for done in (folder.folder() / folder.DONE).iterdir():
        done.unlink()


def test_a_file_is_taken_when_it_lies_still_and_refused_with_its_reason(home: Path) -> None:
    watch = folder.Watch()
    growing, empty = folder.folder() / "wächst.xml", folder.folder() / "leer.csv"
    growing.write_bytes(b"<a")
    empty.write_bytes(b"")
    assert watch.look() == []
    growing.write_bytes(b"<a/>")
    assert watch.look() == []
    refused = list((folder.folder() / folder.REFUSED).glob("*leer.csv.grund.txt"))
    assert len(refused) == 1
    assert "leer" in refused[0].read_text("utf-8")
    assert watch.look() == ["wächst.xml"]
    steps.plain(goods_receipt)
    with unit_of_work("test") as session:
        assert session.scalars(sa.select(InboxItem.state)).all() == [InboxState.PARKED]
    for place in (folder.DONE, folder.REFUSED):
        for path in (folder.folder() / place).iterdir():
            path.unlink()


def test_papers_follow_the_packing() -> None:
    stock(1)
    put(0)
    steps.plain(goods_receipt)
    with unit_of_work("test") as session:
        delivery = session.scalars(sa.select(Delivery)).one()
        for serial in ("S0-1", "S0-2"):
            scanning.pick(session, delivery.id, serial, "test")
        shipping.pack(session, delivery.id, 2, "test")
    steps.plain(goods_receipt)
    with unit_of_work("test") as session:
        delivery = session.scalars(sa.select(Delivery)).one()
        keys = (delivery.pick_list_key, delivery.packing_list_key, delivery.delivery_note_key, delivery.label_key)
        assert all(keys)
        kinds = {key.split("/")[0] for key in session.scalars(sa.select(ArchivedObject.key))}
        assert kinds == {"goods-pick-list", "goods-packing-list", "goods-delivery-note", "goods-label"}


def test_a_burst_is_drained_by_one_run_and_settles_its_own_starts() -> None:
    stock(40)

    def some(part: int) -> None:
        for number in range(part, 40, 4):
            put(number)

    writers = [threading.Thread(target=some, args=(part,)) for part in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done = tasks.Done()
    tasks.book_waiting(done)
    tasks.record_assets(done)
    tasks.settle()
    found = state()
    assert (found["receipts"], found["tickets"], found["assets"], found["to start"]) == (40, 40, 80, 0)
    assert found["without gap"]


def test_the_relay_starts_one_run_for_all_that_waited() -> None:
    stock(2)
    put(0)
    put(1)
    assert "goods_receipt" in BELLED
    with unit_of_work("test") as session:
        session.execute(sa.update(OutboxEvent).values(created_at=clock.now() - tasks_head_start()))
        first = session.scalars(sa.select(OutboxEvent).order_by(OutboxEvent.id)).first()
        assert first is not None
        first.dispatched_at, first.flow_run_id = clock.now(), "lauf-1"
        session.flush()
        serve_all(session, first)
    with engine(Role.APP).connect() as connection:
        runs = connection.scalars(sa.select(OutboxEvent.flow_run_id)).all()
    assert runs == ["lauf-1", "lauf-1"]


def tasks_head_start() -> Any:
    from deployments.relay import HEAD_START

    return HEAD_START * 2


def test_the_watch_over_ends_runs_twice_without_a_second_word() -> None:
    stock(1)
    with unit_of_work("test") as session:
        customer = (
            session.scalars(sa.select(Ticket.customer_id)).first() or session.scalars(sa.text("SELECT id FROM customer")).one()
        )
        session.add(Asset(customer_id=customer, inventory_no="A1", asset_class="server", warranty_until=clock.today()))
    assert "1 Hinweise" in str(steps.plain(expiry_watch))
    assert "0 Hinweise" in str(steps.plain(expiry_watch))
