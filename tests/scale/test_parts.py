"""Parts on several machines: what each needs, who leads, whether it lives, what Prefect really accepts of our settings."""

import datetime as dt
import json
import os
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions import queues
from deployments import checks, keeper
from deployments.health import Health, HealthSettingsError
from deployments.instance import BATCHING, QUIET, RETENTION, Instance
from deployments.parts import NotSharedError, Wish, build, check, redis_environment
from kit import clock
from kit.database import leading, shared_secret, unit_of_work
from kit.process import machine, usable_cores
from models.assets import ExpiryNotice
from models.billing import InvoiceState
from models.handover import HandOverState, SapDocument
from models.plumbing import InboxItem, InboxState, MailState, OutboxEvent, OutboxMail
from rules.expiry import ExpiryKind
from tests import factories as make

SHARED = {
    "DATABASE_URL": "postgresql://haus:geheim@db.example/drehkreuz", "PREFECT_URL": "http://prefect.example:4200", "ARCHIVE": "s3",
    "SMTP_HOST": "mail.example", "VAULT_KEYS": "a:AA==", "EXCHANGE_FOLDER": "/austausch", "REDIS_URL": "redis://redis.example/0",
}  # fmt: skip


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Instance:
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path))
    for name, value in SHARED.items():
        monkeypatch.setenv(f"DREHKREUZ_{name}", value)
    return Instance(tmp_path, 1, 2, 3, 4)


@pytest.mark.parametrize("name", sorted(SHARED))
def test_a_part_says_what_its_machine_lacks(shared: Instance, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    part = "prefect-services" if name == "REDIS_URL" else "worker"
    check(part)
    monkeypatch.delenv(f"DREHKREUZ_{name}")
    with pytest.raises(NotSharedError, match=f"DREHKREUZ_{name}"):
        check(part)


def test_every_machine_derives_the_same_credential(shared: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = shared.credential
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path / "another"))
    assert shared.credential == first
    assert not (tmp_path / "another").exists(), "no secret of a machine's own"
    monkeypatch.setenv("DREHKREUZ_DATABASE_URL", "postgresql://haus:anders@db.example/drehkreuz")
    assert shared_secret("prefect") not in first


def test_a_worker_is_told_its_queue_its_limit_and_its_door(shared: Instance) -> None:
    command, environment = build("worker", shared, Wish("0.0.0.0", 0, "abrechnung", 1))
    assert command[command.index("--work-queue") + 1] == "abrechnung"
    assert command[command.index("--limit") + 1] == "1"
    assert environment["PREFECT_API_URL"] == "http://prefect.example:4200/api"
    assert environment["PREFECT_WORKER_WEBSERVER_PORT"] == "8090"


def test_a_portal_believes_only_the_named_proxies_about_who_asks(shared: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind an unnamed one all visitors are one address, and ten failures of one lock everybody out."""
    monkeypatch.setenv("DREHKREUZ_PORTAL_PROXIES", "10.1.0.0/16,192.0.2.7")
    command, _ = build("portal", shared, Wish("0.0.0.0", 0))
    assert command[command.index("--forwarded-allow-ips") + 1] == "10.1.0.0/16,192.0.2.7"


def test_the_portal_is_asked_where_the_other_parts_reach_it(shared: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared.portal_reached_url == shared.notice_url == ""
    monkeypatch.setenv("DREHKREUZ_PORTAL_URL", "https://service.haus.example/")
    assert shared.portal_reached_url == "https://service.haus.example"
    monkeypatch.setenv("DREHKREUZ_PORTAL_INTERNAL_URL", "http://portal:8080")
    assert shared.notice_url == f"{shared.portal_reached_url}/api/run-notices" == "http://portal:8080/api/run-notices"


def test_prefects_pages_ask_an_address_that_browsers_know_and_lie_where_the_part_may_write(
    shared: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of the container network means nothing to a browser, and the program's own folder is read-only."""
    assert build("prefect", shared, Wish())[1]["PREFECT_SERVER_UI_API_URL"] == "http://prefect.example:4200/api"
    monkeypatch.setenv("DREHKREUZ_PREFECT_UI_URL", "http://127.0.0.1:4200/")
    _, environment = build("prefect", shared, Wish())
    assert environment["PREFECT_SERVER_UI_API_URL"] == "http://127.0.0.1:4200/api"
    assert environment["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == "http://127.0.0.1:4200"
    assert environment["PREFECT_API_URL"] == "http://prefect.example:4200/api"
    assert Path(environment["PREFECT_SERVER_UI_STATIC_DIRECTORY"]).is_relative_to(shared.home)


def test_prefect_knows_every_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Misspelt names are ignored without a word; so the pinned Prefect is asked."""
    from prefect.settings import Settings
    from prefect.settings.legacy import _get_settings_fields
    from prefect_redis.client import RedisMessagingSettings

    redis = redis_environment("redis://redis.example/0")
    ours = BATCHING | RETENTION | redis | {"PREFECT_WORKER_WEBSERVER_HOST": "", "PREFECT_WORKER_WEBSERVER_PORT": ""}
    for name, value in (QUIET | RETENTION | redis).items():
        monkeypatch.setenv(name, value)
    assert {name for name in ours if not name.startswith("PREFECT_REDIS_")} <= set(_get_settings_fields(Settings))
    server = Settings().server
    vacuum = server.services.db_vacuum
    assert vacuum.enabled_vacuum_types == {"events", "flow_runs", "orphans"}
    assert (vacuum.retention_period, vacuum.loop_seconds) == (dt.timedelta(days=90), 3600)
    assert server.events.retention_period == dt.timedelta(days=7)
    assert str(RedisMessagingSettings().url) == "redis://redis.example/0"


def test_of_several_keepers_one_leads_and_the_next_follows(committed: None) -> None:
    with leading("keeper") as first, leading("keeper") as second:
        assert (first, second) == (True, False)
    with leading("keeper") as again:
        assert again


def test_a_worker_in_another_container_is_not_taken_for_a_dead_one_of_ours() -> None:
    name = keeper.worker_name()
    assert name == f"{machine()}-{os.getpid()}"
    host, _, _ = machine().rpartition("-")
    elsewhere = {
        "labels": {"prefect.worker.name": f"{host}-0f0f0f-{os.getpid()}"},
        "id": "x",
        "state": {"timestamp": "2026-01-01T00:00:00Z"},
    }
    assert not keeper.is_orphan(elsewhere, {})


class OneRun:
    """Of Prefect's interface what the keeper asks, with one run in it and one worker that is heard."""

    def __init__(self, worker: str, since: dt.datetime) -> None:
        state = {"type": "PENDING", "name": "Submitting", "timestamp": since.isoformat(), "message": ""}
        labels = {"prefect.worker.name": worker}
        self.run = {"id": "x", "name": "x", "tags": [], "run_count": 0, "labels": labels, "state": state}
        self.asked: list[str] = []

    def tagged(self, _tag: str, *_states: str, state_name: str = "") -> list[dict[str, object]]:
        return [] if state_name else [self.run]

    def online(self, _pool: str) -> set[str]:
        return {"box-1-7"}

    def history(self, _run: str) -> list[dict[str, object]]:
        return []

    def set_state(self, _run: str, state: dict[str, object], *, force: bool = False) -> str:
        self.asked.append(f"{state['name']}{' by force' if force else ''}")
        return "ACCEPT"


@pytest.mark.parametrize(
    ("worker", "minutes", "asked"),
    [("box-1-7", 5, []), ("box-1-7", 11, ["AwaitingRetry by force"]), ("box-2-7", 5, ["AwaitingRetry by force"])],
)
def test_a_run_that_a_living_worker_is_slow_to_start_is_not_handed_to_it_twice(
    worker: str, minutes: int, asked: list[str]
) -> None:
    """Prefect's worker falls over a run that it is already starting; seen on a machine with six times as much work as cores."""
    now = clock.now()
    api = OneRun(worker, now - dt.timedelta(minutes=minutes))
    keeper.tend(api, now)  # type: ignore[arg-type]  # only what is asked
    assert api.asked == asked


def test_a_container_renders_on_its_share_of_the_cores(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert usable_cores(tmp_path) == min(2, len(os.sched_getaffinity(0)))
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert usable_cores(tmp_path) == 1
    assert usable_cores(tmp_path / "none") == len(os.sched_getaffinity(0))


def ask(health: Health, path: str, token: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{health.port}{path}", headers={"Authorization": f"Bearer {token}"} if token else {}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def test_live_ready_and_metrics(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_METRICS_TOKEN", "nur-fuer-die-probe")
    health = Health("background", lambda: b"seite", "127.0.0.1:0")
    try:
        assert ask(health, "/live")[0] == 200
        assert json.loads(ask(health, "/ready")[1]) == {"part": "background", "live": True, "database": True}
        assert ask(health, "/metrics")[0] == 401
        assert ask(health, "/metrics", "nur-fuer-die-probe") == (200, b"seite")
        assert ask(health, "/etc/passwd")[0] == 404
        health._beat -= 1000  # the loop hangs
        assert ask(health, "/live")[0] == 503
    finally:
        health.close()


def test_metrics_beyond_this_machine_need_a_token() -> None:
    with pytest.raises(HealthSettingsError, match="DREHKREUZ_METRICS_TOKEN"):
        Health("background", lambda: b"", "0.0.0.0:0")


def test_doctor_and_metrics_count_the_same(committed: None) -> None:
    with unit_of_work("test") as session:
        session.add(
            InboxItem(
                channel="mail", key="1", received_at=clock.now(), content_type="x", raw=b"", state=InboxState.PARKED, reason="?"
            )
        )
        session.add(OutboxEvent(deployment="x", parameters={}, error="nein"))
        session.flush()
        session.execute(sa.update(OutboxEvent).values(created_at=clock.now() - queues.LATE * 2))
    with unit_of_work("test") as session:
        found = queues.measure(session)
    assert (found["inbox"].person, found["events"].waiting, found["events"].late, found["events"].person) == (1, 1, 1, 1)
    assert found["events"].oldest >= 1800
    told = {finding.check: finding.detail for finding in checks._items(running=True)}
    assert told["Ereignisse"] == "1 warten auf einen Lauf, 1 abgewiesen"
    assert told["Eingang"] == "1 geparkt"


def test_the_oldest_unclear_mail_has_an_age(committed: None) -> None:
    """It counts from when it was on its way; what was delivered long ago has none."""
    now = clock.now()
    with unit_of_work("test") as session:
        for number, (state, hours) in enumerate(((MailState.UNCLEAR, 5), (MailState.UNCLEAR, 2), (MailState.ACCEPTED, 90))):
            at = now - dt.timedelta(hours=hours)
            session.add(
                OutboxMail(
                    key=f"k{number}", kind="x", message_id=f"<{number}@haus.example>", sender="a@haus.example",
                    recipients=["b@kunde.example"], subject="x", raw=b"x", state=state, created_at=now - dt.timedelta(days=9),
                    in_flight_at=at, accepted_at=at if state is MailState.ACCEPTED else None, refused={},
                )
            )  # fmt: skip
    with unit_of_work("test") as session:
        ages, standing = queues.oldest_mails(session), queues.measure(session)["mail"]
    assert dt.timedelta(hours=5) <= dt.timedelta(seconds=ages[MailState.UNCLEAR]) < dt.timedelta(hours=6)
    assert ages[MailState.QUEUED] == ages[MailState.BOUNCED] == 0
    assert MailState.ACCEPTED not in ages
    assert (standing.waiting, standing.oldest, standing.person) == (0, 0.0, 2)
    assert standing.person_oldest >= dt.timedelta(days=9).total_seconds()


def test_what_is_handed_over_and_told_is_a_queue_too(committed: None) -> None:
    now, today = clock.now(), clock.today()
    with unit_of_work("test") as session:
        customer = make.customer(session)
        report = make.report(session, make.item(session, customer, make.run(session)))
        invoice = make.invoice(
            session, report, state=InvoiceState.ISSUED, number="RE-2026-000001", issued_at=now - dt.timedelta(days=2),
            archive_key="rechnung/1", sha256="0" * 64,
        )  # fmt: skip
        session.add(
            SapDocument(customer_id=customer.id, invoice_id=invoice.id, key="x", adapter="files", state=HandOverState.FAILED)
        )
        session.add(
            ExpiryNotice(
                customer_id=customer.id,
                kind=ExpiryKind.LICENCE,
                object_id=1,
                ends_on=today,
                notice_on=today - dt.timedelta(days=3),
            )
        )
    with unit_of_work("test") as session:
        found = queues.measure(session)
    assert (found["sap"].waiting, found["sap"].person, found["sap"].late) == (1, 1, 0)
    assert (found["datev"].waiting, found["datev"].late) == (1, 1)
    assert found["datev"].oldest >= dt.timedelta(days=2).total_seconds()
    assert (found["expiry"].waiting, found["expiry"].late, found["expiry"].oldest) == (1, 1, 3 * 86_400)
