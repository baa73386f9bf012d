"""Several visits of one month at the same time, each in a home of its own, share its work; one that is killed leaves nothing."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.billing.sharing import SMALLEST, WORTH_A_VISIT, ask_for_help, portion
from integrations.mail.sink import sunk_mails
from kit.database import Role, engine, unit_of_work, url
from models.plumbing import OutboxEvent
from tests import factories as make
from tests.billing.conftest import OCTOBER, release_month, told
from tests.servers import REPOSITORY, SinkProcess, wait_until

CUSTOMERS = 30


@pytest.fixture
def many(sink: SinkProcess) -> None:
    with unit_of_work("test") as session:
        make.house(session)
        technician = make.employee(session)
        for n in range(CUSTOMERS):
            customer = make.customer(session, number=f"K{n:03}", delivery="email_einvoice" if n % 2 else "post")
            make.contact(session, customer, email=f"k{n}@kunde.example")
            make.agreement(session, customer)
            make.entry(session, customer, technician, make.ticket(session, customer), key=f"L-{n}")


AT_THE_GATE = sa.text("""
    select count(*) from pg_locks join pg_stat_activity using (pid)
    where not granted and locktype = 'advisory' and application_name like 'visitor%'
""")
SETTING_PAGES = sa.text("""
    with held as (
        select mode from pg_locks join pg_stat_activity using (pid)
        where application_name = :name and relation = 'service_report'::regclass and granted
    )
    select exists (select from held where mode = 'RowShareLock')
       and not exists (select from held where mode in ('RowExclusiveLock', 'AccessExclusiveLock'))
       and exists (select from service_report where state = 'numbered')
""")
"""Whether a visitor holds reports and has not written anything to them: it sets their pages."""


@pytest.mark.promise("S163", "S165")
@pytest.mark.slow
def test_visits_share_a_month_and_a_killed_one_leaves_nothing(
    many: None, sink: SinkProcess, home: Path, tmp_path: Path
) -> None:
    release_month()
    homes = [tmp_path / f"home{n}" for n in range(3)]
    for one in homes:
        one.mkdir()
        (home / "archive").mkdir(exist_ok=True)
        (one / "archive").symlink_to(home / "archive")  # one archive for all, as S3 is
    address = url(Role.OWNER).set(drivername="postgresql").render_as_string(hide_password=False)
    visitors = subprocess.Popen(
        [sys.executable, "-m", "tests.billing.visitors", str(OCTOBER), *map(str, homes)],
        cwd=REPOSITORY, env=os.environ | {"DREHKREUZ_DATABASE_URL": address}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with engine(Role.OWNER).connect().execution_options(isolation_level="AUTOCOMMIT") as gate:
        run_id = gate.scalar(sa.text("select id from billing_run"))
        key = {"key": f"billing-numbers:{run_id}"}
        gate.execute(sa.text("select pg_advisory_lock(hashtextextended(:key, 0))"), key)
        assert visitors.stdout is not None
        pids = json.loads(visitors.stdout.readline())
        wait_until(lambda: gate.scalar(AT_THE_GATE) == 3, "three visits before the first number", 120)
        gate.execute(sa.text("select pg_advisory_unlock(hashtextextended(:key, 0))"), key)
        wait_until(lambda: bool(gate.scalar(SETTING_PAGES, {"name": "visitor0"})), "a batch in hand", 120)
        os.kill(pids[0], signal.SIGKILL)
    assert json.loads(visitors.stdout.readline()) == [-signal.SIGKILL, 0, 0]
    visitors.communicate(timeout=10)

    assert told()["state"] == "done"
    assert told()["totals"] == {"reports": 30, "invoices": 30, "net": "2850.00", "vat": "541.50", "gross": "3391.50"}
    arrived = Counter(mail.raw.lower().split(b"\nmessage-id:", 1)[1].split(b"\n", 1)[0] for mail in sunk_mails(sink.folder))
    assert set(arrived.values()) == {1}
    assert len(arrived) == CUSTOMERS + CUSTOMERS // 2
    with unit_of_work("test") as session:
        for table, prefix in (("service_report", "SB"), ("invoice", "RE")):
            numbers = session.scalars(sa.text(f"select number from {table} order by number")).all()
            assert numbers == [f"{prefix}-2026-{n:06}" for n in range(1, CUSTOMERS + 1)]
    made = [made_by(one) for one in homes[1:]]
    assert all(counts["Serviceberichte"] >= 1 and counts["Rechnungen"] >= 1 for counts in made), made
    assert sum(counts["Serviceberichte"] for counts in made) == CUSTOMERS


def made_by(home: Path) -> Counter[str]:
    """What a visit says that it made, from its log."""
    counts: Counter[str] = Counter()
    for line in (home / "log" / "visit.jsonl").read_text("utf-8").splitlines():
        what, _, rest = json.loads(line)["message"].partition(": ")
        if rest.endswith("in diesem Besuch erstellt"):
            counts[what] += int(rest.split()[0])
    return counts


def test_portions_shrink_towards_the_end() -> None:
    sizes, waiting = [], 200
    while waiting:
        sizes.append(portion(waiting, 40))
        waiting -= min(waiting, sizes[-1])
    assert sizes[0] == 40
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == SMALLEST
    assert portion(3, 2) == 2


@pytest.mark.parametrize(
    ("helpers", "documents", "asked"), [(0, 5000, 0), (3, WORTH_A_VISIT - 1, 0), (3, 250, 2), (3, 5000, 3)]
)
def test_a_big_month_asks_for_as_many_visits_as_there_are_workers(
    session: sa.orm.Session, monkeypatch: pytest.MonkeyPatch, helpers: int, documents: int, asked: int
) -> None:
    monkeypatch.setenv("DREHKREUZ_BILLING_HELPERS", str(helpers))
    assert ask_for_help(session, OCTOBER, documents) == asked
    assert ask_for_help(session, OCTOBER, documents) == 0, "once a day"
    rows = session.scalars(sa.select(OutboxEvent)).all()
    assert [(row.deployment, row.parameters) for row in rows] == [("monthly_billing", {"month": "2026-10"})] * asked
