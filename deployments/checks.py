"""What `doctor` looks at. Each check answers for itself; none changes anything."""

import datetime as dt
import shutil
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal

import sqlalchemy as sa

from actions import archive, queues, restoration
from deployments import deploy
from deployments.health import database_answers
from deployments.instance import POOL, Instance
from deployments.keeper import GIVEN_UP, RESUME
from deployments.prefect_api import PrefectApi
from deployments.readiness import background_answers, doorbell_answers, listening_homes, portal_answers
from deployments.schedules import idle_schedules
from kit import clock
from kit.database import Role, engine, unit_of_work
from kit.errors import DrehkreuzError
from kit.settings import settings
from kit.vault import vault
from models import schema
from models.plumbing import MailState
from rules.differences import german

OK, WARNING, FAILED, OFF, PERSON = "ok", "warning", "failed", "off", "person"
DATABASE_AWAY = "docs/runbooks/datenbank-fort.md"
STOOD_STILL = "docs/runbooks/dienste-standen-still.md"
TWICE = "docs/runbooks/zweimal-gestartet.md"
BEHIND = {
    "due_dates": ("Wartungstermine", "fällige ohne Ticket", "drehkreuz run maintenance_round"),
    "expiry": ("Ablaufmeldungen", "fällige nicht gemeldet", "drehkreuz run expiry_watch"),
    "sap": ("SAP", "Belege seit mehr als einem Tag nicht übergeben", "Portal, »Übergabe« des Monats"),
    "datev": ("DATEV", "Rechnungen seit mehr als einem Tag in keiner Datei", "Portal, »Übergabe« des Monats"),
    "letters": ("Briefe", "seit mehr als einem Tag in keiner Druckdatei", "Portal, »Übergabe« des Monats"),
    "unarchived": ("Ablage", "Mails seit mehr als einer Viertelstunde nicht im Archiv", "docs/runbooks/s3-antwortet-nicht.md"),
    "print": ("Druckdateien", "seit mehr als drei Tagen nicht gedruckt", "Portal, »Übergabe« des Monats"),
}
"""Queues whose lateness `doctor` tells: name, what is late, and what helps."""
SPACE_WANTED = 2_000_000_000
SHOWN = 5  # numbers in one line


@dataclass(frozen=True)
class Finding:
    """One line of the report. `state`: ok, warning, failed, off (not running), person (somebody has to act)."""

    check: str
    state: str
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def examine(target: Instance, trouble: str = "") -> Iterator[Finding]:
    """All checks. The database comes first: most others need it.

    Args:
        target: the home.
        trouble: why its database could not be opened; empty when it was.
    """
    yield _database_finding(trouble)
    there = not trouble or database_answers()
    running = target.shared or target.running()
    yield _guarded("Prefect-Server", lambda: _server(target, running=running))
    if running:
        yield _guarded("Worker", lambda: _worker(target), STOOD_STILL)
        yield _guarded("Deployments", lambda: _deployments(target), STOOD_STILL)
        yield _guarded("Zeitpläne", lambda: _schedules(target), STOOD_STILL)
        yield _guarded("Läufe", lambda: _runs(target), STOOD_STILL)
        if not target.shared:
            yield _guarded("Relay und Keeper", lambda: _answers("Relay und Keeper", background_answers(target), running=True))
    if there:
        yield _guarded("Türklingel", lambda: _answers("Türklingel", doorbell_answers(), running=running))
        yield from _twice(target)
    yield _guarded(
        "Portal", lambda: _answers("Portal", portal_answers(target), running=running, where=target.portal_reached_url)
    )
    yield _guarded("Mailversand", lambda: _mail(target))
    if there:
        yield _guarded("Archiv", _archive)
        yield _guarded("Uhr", _clock)
    yield _guarded("Tresor", _vault)
    yield _guarded("PDF-Satz", _fonts)
    yield _guarded("Platz", lambda: _space(target))
    if there:
        yield from _restored()
        yield from _items(running=running)


def _guarded(name: str, check: Callable[[], Finding], remedy: str = "") -> Finding:
    try:
        return check()
    except DrehkreuzError as fault:
        return Finding(name, FAILED, str(fault), remedy)
    except Exception as fault:  # noqa: BLE001  (a check that breaks is a finding, not the end of the report)
        return Finding(name, FAILED, f"{type(fault).__name__}: {(str(fault).strip().splitlines() or [''])[0]}", remedy)


def _database_finding(trouble: str) -> Finding:
    """The first line; whatever is wrong with the database, it says where help is written down."""
    if not trouble:
        return _guarded("Datenbank", _database, DATABASE_AWAY)
    return Finding("Datenbank", FAILED, trouble, "" if "docs/runbooks/" in trouble else DATABASE_AWAY)


def _twice(target: Instance) -> Iterator[Finding]:
    """Services of another home on this database: right where a house is spread over machines, else a mistake."""
    try:
        homes, others = listening_homes(), listening_homes(besides=target.home)
    except (sa.exc.SQLAlchemyError, DrehkreuzError):
        return
    if target.shared or not others:
        return
    if len(homes) > 1:
        yield Finding("Dienste", PERSON, f"laufen {len(homes)}-mal auf dieser Datenbank: {', '.join(homes)}", TWICE)
    else:
        yield Finding("Dienste", WARNING, f"laufen für diese Datenbank anderswo: {others[0]}", TWICE)


def _database() -> Finding:
    with engine(Role.OWNER).connect() as connection:
        version = str(connection.scalar(sa.text("show server_version"))).split()[0]
        size = connection.scalar(sa.text("select pg_size_pretty(pg_database_size(current_database()))"))
    where = "fremde Datenbank" if settings().database_url else "eingebettet"
    if schema.current() != schema.head():
        return Finding(
            "Datenbank", FAILED, f"Schema {schema.current()}, nötig ist {schema.head()}", "drehkreuz up bringt es auf Stand"
        )
    return Finding("Datenbank", OK, f"PostgreSQL {version}, {where}, {size}, Schema {schema.head()}")


def _server(target: Instance, *, running: bool) -> Finding:
    if not running:
        return Finding("Prefect-Server", OFF, "die Dienste laufen nicht", f"drehkreuz up ({STOOD_STILL})")
    with PrefectApi(target) as api:
        if api.healthy():
            return Finding("Prefect-Server", OK, target.prefect_url)
    remedy = f"Protokoll: {target.logs}/prefect.log ({STOOD_STILL})"
    return Finding("Prefect-Server", FAILED, f"{target.prefect_url} antwortet nicht", remedy)


def _worker(target: Instance) -> Finding:
    with PrefectApi(target) as api:
        workers = api.workers(POOL)
    if online := [worker for worker in workers if worker["status"] == "ONLINE"]:
        return Finding("Worker", OK, f"{len(online)} im Pool »{POOL}«")
    heard = max((dt.datetime.fromisoformat(at) for worker in workers if (at := worker["last_heartbeat_time"])), default=None)
    last = f", zuletzt gehört {clock.local(heard):%d.%m.%Y %H:%M}" if heard else ""
    return Finding("Worker", FAILED, f"keiner im Pool »{POOL}«{last}", f"Protokoll: {target.logs}/worker.log ({STOOD_STILL})")


def _deployments(target: Instance) -> Finding:
    fault = str(target.state().get("fault") or "")
    if fault:
        return Finding("Deployments", FAILED, fault, f"Protokoll: {target.logs}/deploy.log")
    with PrefectApi(target) as api:
        names = sorted(str(deployment["name"]) for deployment in api.deployments())
    if not target.shared and not deploy.is_current(target):
        return Finding("Deployments", WARNING, "prefect.yaml hat sich geändert", "Dienste neu starten")
    return Finding("Deployments", OK, ", ".join(names))


def _schedules(target: Instance) -> Finding:
    with PrefectApi(target) as api:
        idle = idle_schedules(api, _real_now())
    if idle:
        return Finding("Zeitpläne", FAILED, f"ohne geplante Läufe: {', '.join(idle)}", "Pins prüfen, Dienste neu starten")
    return Finding("Zeitpläne", OK, "jeder Zeitplan hat Läufe vor sich")


def _runs(target: Instance) -> Finding:
    with PrefectApi(target) as api:
        stuck = [run["name"] for run in api.tagged(GIVEN_UP, "CRASHED", "FAILED", "PENDING")]
        crashed = len(api.tagged(RESUME, "CRASHED")) - len(stuck)
    if stuck:
        text = f"nach mehreren Versuchen aufgegeben: {', '.join(stuck[:5])}"
        return Finding("Läufe", PERSON, text, "in Prefect ansehen und »Retry« wählen oder die Markierung entfernen")
    if crashed > 0:
        return Finding("Läufe", WARNING, f"{crashed} abgestürzt, der Keeper nimmt sie wieder auf")
    return Finding("Läufe", OK, "keiner hängt")


def _answers(name: str, answered: bool, *, running: bool, where: str = "") -> Finding:
    if answered:
        return Finding(name, OK, where or "antwortet")
    if running:
        return Finding(name, FAILED, "antwortet nicht", f"Protokolle im Heimordner unter log/ ({STOOD_STILL})")
    return Finding(name, OFF, "die Dienste laufen nicht", f"drehkreuz up ({STOOD_STILL})")


def _mail(target: Instance) -> Finding:
    chosen = settings()
    if not chosen.smtp_host:
        return Finding("Mailversand", OK, f"lokale Senke: {target.mail_folder}")
    where = f"{chosen.smtp_host}:{chosen.smtp_port}"
    try:
        kind = smtplib.SMTP_SSL if chosen.smtp_tls == "required" else smtplib.SMTP
        with kind(chosen.smtp_host, chosen.smtp_port, timeout=10) as server:
            server.ehlo()
    except (OSError, smtplib.SMTPException) as fault:
        remedy = "DREHKREUZ_SMTP_HOST und _PORT prüfen (docs/runbooks/mailserver-nimmt-nichts.md)"
        return Finding("Mailversand", FAILED, f"{where} antwortet nicht ({fault})", remedy)
    return Finding("Mailversand", OK, where)


def _archive() -> Finding:
    with unit_of_work("doctor") as session:
        total, faulty = queues.archive_faults(session)
    kind = f"S3, Bucket {settings().s3_bucket}" if settings().archive == "s3" else "Ordner im Heim"
    if settings().archive == "s3":
        try:
            archive.store().check()
        except DrehkreuzError as fault:
            return Finding("Archiv", FAILED, str(fault), "docs/runbooks/s3-antwortet-nicht.md")
    if faulty:
        return Finding(
            "Archiv", PERSON, f"{faulty} von {total} Objekten fehlerhaft", "drehkreuz run archive_check, Sicherung einspielen"
        )
    return Finding("Archiv", OK, f"{kind}, {total} Objekte")


def _vault() -> Finding:
    vault()
    return Finding("Tresor", OK, "Schlüsselbund aus den Einstellungen" if _has_ring() else "Schlüssel dieses Heims")


def _has_ring() -> bool:
    return bool(settings().vault_keys.get_secret_value().strip())


def _fonts() -> Finding:
    try:
        from weasyprint import __version__
    except OSError as fault:
        remedy = "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        return Finding("PDF-Satz", FAILED, f"Pango fehlt ({fault.args[0] if fault.args else fault})", remedy)
    return Finding("PDF-Satz", OK, f"WeasyPrint {__version__}")


def _clock() -> Finding:
    before = time.time()
    with engine(Role.OWNER).connect() as connection:
        there = float(connection.scalar(sa.text("select extract(epoch from clock_timestamp())")) or 0)
    apart = abs(there - (before + time.time()) / 2)
    shown = f"{clock.local(clock.now()):%d.%m.%Y %H:%M} Berlin"
    if clock.shift_days():
        shown += f", um {clock.shift_days()} Tage verschoben"
    if apart > 5:
        return Finding(
            "Uhr",
            WARNING,
            f"{shown}; die Datenbank geht {apart:.0f} s anders",
            "Zeitabgleich (NTP) prüfen (docs/runbooks/uhr-springt.md)",
        )
    with unit_of_work("doctor") as session:
        ahead = queues.issued_in_the_future(session)
    if ahead:
        text = f"{shown}; {len(ahead)} Belege tragen ein späteres Datum: {', '.join(ahead[:SHOWN])}"
        text += " …" if len(ahead) > SHOWN else ""
        return Finding("Uhr", WARNING, text, "docs/runbooks/uhr-springt.md")
    return Finding("Uhr", OK, shown)


def _space(target: Instance) -> Finding:
    free = shutil.disk_usage(target.home).free
    text = f"{german(Decimal(free) / 10**9, 1)} GB frei in {target.home}"
    return Finding(
        "Platz", OK if free > SPACE_WANTED else WARNING, text, "" if free > SPACE_WANTED else "docs/runbooks/platte-voll.md"
    )


def _restored() -> Iterator[Finding]:
    """A restored home that is not reconciled, or documents that it has lost."""
    try:
        with unit_of_work("doctor") as session:
            held, lost = restoration.why_held(session), restoration.undecided(session)
    except (sa.exc.SQLAlchemyError, DrehkreuzError):
        return
    page = "docs/runbooks/rueckspielung.md"
    if held:
        yield Finding("Rückspielung", PERSON, held, page)
    elif lost:
        yield Finding(
            "Rückspielung", PERSON, f"{len(lost)} verlorene Nummern nicht entschieden", f"drehkreuz mail lost ({page})"
        )


def _items(*, running: bool) -> Iterator[Finding]:
    """What waits, is late, or needs a person: the same questions as the metrics ask."""
    try:
        with unit_of_work("doctor") as session:
            found = queues.measure(session)
            mails = queues.mails_by_state(session)
    except (sa.exc.SQLAlchemyError, DrehkreuzError):
        return  # the first finding has said it
    post, events, inbox = found["mail"], found["events"], found["inbox"]
    yield Finding(
        "Postausgang", WARNING if post.late and running else OK, f"{post.waiting} warten, {post.late} länger als 15 Minuten"
    )
    unclear, bounced = mails.get(MailState.UNCLEAR, 0), mails.get(MailState.BOUNCED, 0)
    if unclear or bounced:
        since = dt.timedelta(seconds=post.person_oldest)
        age = f", die älteste seit {since.days} Tagen" if since.days > 1 else ""
        yield Finding("Mails", PERSON, f"{unclear} unklar, {bounced} nicht zustellbar{age}", "Portal, »Postausgang«")
    refused = f", {events.person} abgewiesen" if events.person else ""
    yield Finding("Ereignisse", WARNING if events.person else OK, f"{events.waiting} warten auf einen Lauf{refused}")
    if inbox.person:
        yield Finding("Eingang", PERSON, f"{inbox.person} geparkt", "Portal, »Eingang«")
    told = found["run_notices"]
    if told.waiting:
        text = f"{told.waiting} gemeldet, davon {told.person} gescheitert"
        where = "Portal, »Auffällige Läufe« (docs/runbooks/laeufe-auffaellig.md)"
        yield Finding("Auffällige Läufe", PERSON if told.person else WARNING, text, where)
    if strange := found["access_notices"].waiting:
        yield Finding("Auffällige Zugriffe", PERSON, f"{strange} noch nicht angesehen", "Portal, »Auffällige Zugriffe«")
    for queue, (name, what, remedy) in BEHIND.items():
        if late := found[queue].late:
            yield Finding(name, WARNING, f"{late} {what}", remedy)


def _real_now() -> dt.datetime:
    return dt.datetime.fromtimestamp(time.time(), tz=dt.UTC)
