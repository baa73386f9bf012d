"""Who read what is noted, what is unusual about it is told, and nobody uploads without end."""

import datetime as dt
import inspect

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from actions import access_log, invitations, uploads
from actions.access_log import Reader
from kit import clock
from kit.database import Role, engine, unit_of_work
from models.access import Login
from models.watching import AccessEntry, AccessKind, AccessNotice, Unusual
from portal.security.lockout import FAILURES
from portal.security.watch import reads
from rules import unusual
from tests.portal.conftest import Portal
from tests.portal.signing import BACK_OFFICE, rows, sign_in, told, with_password
from tests.portal.test_post_and_tasks import mail
from tests.portal.test_rights import ROUTES
from tests.portal.world import email_of

NOTED = {
    "/archiv/{object_id}/{name}", "/tickets/anhang/{attachment_id}", "/wartung/belege/{evidence_id}",
    "/bedarf/{number}/dokument/{document_id}", "/bedarf/{number}/nachweis/{month}/{proof_id}.pdf", "/lieferungen/{delivery_id}/papier/{kind}",
    "/postausgang/{mail_id}", "/postausgang/{mail_id}/anhang/{index}", "/kunden/{number}/bearbeiten", "/verwaltung/zugaenge",
    "/verwaltung/zugriffe/protokoll",
}  # fmt: skip


def login_id(email: str = BACK_OFFICE) -> int:
    with unit_of_work("test") as session:
        return invitations.ensure_login(session, email).id


def entries(*kinds: AccessKind) -> list[tuple[str, str]]:
    return [(row.actor.partition(":")[2], row.what) for row in rows(AccessEntry) if row.kind in kinds]


def test_every_page_that_gives_out_a_file_notes_it() -> None:
    """Whatever answers from the archive is among the known ones; a new route with a file has to say so."""
    noted = {r.path for r in ROUTES if any(isinstance(d.call, reads) for d in r.dependant.dependencies)}
    assert noted == NOTED
    giving = {r.path for r in ROUTES if "archive.read(" in (code := inspect.getsource(r.endpoint)) or "archived_file(" in code}
    assert giving
    assert giving <= noted


def test_reading_is_noted_with_who_what_and_where_from_and_a_refusal_too(portal: Portal) -> None:
    mail_id = mail(portal)
    office, technician = portal.browser("back_office"), portal.browser("technician")
    assert office.get(f"/postausgang/{mail_id}").status_code == 200
    assert office.get("/kunden/K1001/bearbeiten").status_code == 200
    assert office.get("/archiv/999/x.pdf").status_code == 404
    assert technician.get(f"/postausgang/{mail_id}").status_code == 403
    assert entries(AccessKind.MAIL, AccessKind.BANK_DATA) == [
        (BACK_OFFICE, f"/postausgang/{mail_id}"),
        (BACK_OFFICE, "/kunden/K1001/bearbeiten"),
    ]
    assert entries(AccessKind.REFUSED) == [
        (BACK_OFFICE, "GET /archiv/999/x.pdf"),
        (email_of("technician"), f"GET /postausgang/{mail_id}"),
    ]
    assert {row.origin for row in rows(AccessEntry)} == {"testclient"}
    page = portal.browser("service_head").get("/verwaltung/zugriffe/protokoll?suche=K1001").text
    assert "/kunden/K1001/bearbeiten" in page
    assert BACK_OFFICE in page


def test_far_more_than_ever_before_is_told_once(portal: Portal) -> None:
    reader = Reader(login_id(), f"employee:{BACK_OFFICE}", "10.0.0.1")
    now = clock.now()
    with unit_of_work("test") as session:
        usual = {
            "login_id": reader.login_id,
            "actor": reader.actor,
            "kind": "document",
            "what": "/",
            "origin": "",
            "device": "",
        }
        before = now - dt.timedelta(days=1)
        session.execute(sa.insert(AccessEntry), [usual | {"at": before, "created_at": before} for _ in range(20)])
        heard = [access_log.read(session, reader, AccessKind.DOCUMENT, f"/archiv/{n}/x.pdf") for n in range(60)]
    assert [n for n, text in enumerate(heard, 1) if text] == [41], "more than twice the busiest hour, told once"
    [notice] = rows(AccessNotice)
    assert (notice.kind, BACK_OFFICE in notice.text, "41" in notice.text) == (Unusual.MANY_READS, True, True)


@pytest.mark.parametrize(("now", "busiest", "strange"), [(29, 0, False), (30, 0, True), (60, 30, False), (61, 30, True)])
def test_unusual_begins_where_nobody_has_been(now: int, busiest: int, *, strange: bool) -> None:
    assert unusual.far_more(now, busiest) is strange


@pytest.mark.parametrize(
    ("address", "net"),
    [
        ("93.184.216.34", "93.184.0.0/16"),
        ("::ffff:93.184.1.2", "93.184.0.0/16"),
        ("2001:db8:1::5%eth0", "2001:db8::/32"),
        ("x", "x"),
    ],
)
def test_an_address_belongs_to_a_net(address: str, net: str) -> None:
    assert unusual.network(address) == net


def test_whoever_tries_numbers_is_told_of_and_a_person_settles_it(portal: Portal) -> None:
    prober, head = portal.browser("back_office"), portal.browser("service_head")
    for n in range(unusual.REFUSALS):
        assert rows(AccessNotice) == []
        assert prober.get(f"/archiv/{90_000 + n}/x.pdf").status_code == 404
    assert "Auffällige Zugriffe" in head.get("/uebersicht").text
    assert "20 mal abgewiesen" in head.get("/verwaltung/zugriffe").text
    [notice] = rows(AccessNotice)
    assert head.post(f"/verwaltung/zugriffe/{notice.id}/erledigt").status_code == 303
    [notice] = rows(AccessNotice)
    assert notice.settled_by == f"employee:{email_of('service_head')}"
    assert "20 mal abgewiesen" in head.get("/verwaltung/zugriffe?erledigt=ja").text


def test_nobody_settles_what_is_about_oneself(portal: Portal) -> None:
    head = portal.browser("service_head")
    with unit_of_work("test") as session:
        access_log._tell(session, Unusual.MANY_READS, login_id(email_of("service_head")), "x", "viel")
    [notice] = rows(AccessNotice)
    head.post(f"/verwaltung/zugriffe/{notice.id}/erledigt")
    assert rows(AccessNotice)[0].settled_at is None


def test_a_sign_in_from_a_new_device_is_told_to_its_owner(portal: Portal, optional: None) -> None:
    with_password()
    own, other = portal.browser(), portal.browser()
    own.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0"
    other.headers["user-agent"] = "Mozilla/5.0 (X11; Linux) Firefox/130.0"
    assert sign_in(own) == 303  # the first one is nothing to compare with
    own.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Edg/130.0"
    assert sign_in(own) == 303  # the browser carries its mark, whatever it calls itself
    assert told(BACK_OFFICE) == []
    assert sign_in(other) == 303
    assert told(BACK_OFFICE) == [f"{access_log.NEW_DEVICE}: Firefox auf Linux"]
    assert [notice.kind for notice in rows(AccessNotice)] == [Unusual.NEW_DEVICE]
    assert sign_in(other) == 303
    assert len(rows(AccessNotice)) == 1


def test_a_locked_account_is_told_of(portal: Portal, optional: None) -> None:
    with_password()
    for _ in range(FAILURES + 2):
        sign_in(portal.browser(), password="falsch")
    assert [(notice.kind, BACK_OFFICE in notice.text) for notice in rows(AccessNotice)] == [(Unusual.LOCKED_OUT, True)]


def test_old_entries_are_forgotten_and_young_ones_by_nobody(real_portal: Portal) -> None:
    now = clock.now()
    with unit_of_work("test") as session:
        for days in (10, 100, 200):
            at = now - dt.timedelta(days=days)
            session.add(AccessEntry(at=at, actor="x", kind=AccessKind.EXPORT, what=str(days), origin="", device=""))
    with unit_of_work("test", Role.PORTAL_STAFF) as session:
        assert access_log.forget(session) == 1
        session.execute(sa.text("SELECT set_config('drehkreuz.now', '2100-01-01', true)"))
        assert session.scalar(sa.text("SELECT drehkreuz_forget_access(0)")) == 1
    assert [row.what for row in rows(AccessEntry)] == ["10"]
    for role in (Role.APP, Role.PORTAL_STAFF, Role.PORTAL_CUSTOMER):
        for statement in ("DELETE FROM access_entry", "UPDATE access_entry SET what = 'x'"):
            with engine(role).connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(sa.text(statement))
    with engine(Role.PORTAL_CUSTOMER).connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(sa.text("SELECT drehkreuz_forget_access(30)"))


def test_uploads_of_a_day_end_at_their_limit_and_what_was_typed_stays(
    real_portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREHKREUZ_UPLOAD_FILES_PER_DAY", "2")
    monkeypatch.setenv("DREHKREUZ_UPLOAD_MB_PER_DAY", "1")
    browser = real_portal.browser("service_head")

    def send(*sizes: int) -> object:
        files = [("datei", (f"{n}.txt", b"x" * size)) for n, size in enumerate(sizes)]
        return browser.post("/bedarf/K1001/dokument", data={"titel": "Plan des Serverraums"}, files=files)

    assert send(10, 10, 10).status_code == 429
    assert send(10).status_code != 429
    full = send(10, 10)
    assert full.status_code == 429
    assert "schon 1 Dateien angekommen, mit diesen wären es 3; erlaubt sind 2 am Tag" in full.text
    assert "Plan des Serverraums" in full.text, "what was typed can be sent without the files"
    assert int(full.headers["retry-after"]) <= 86_400
    assert "1,1 MB; erlaubt sind 1 MB" in send(1_100_000).text
    assert send(10).status_code != 429
    later = clock.now() + dt.timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with unit_of_work("test") as session:
        uploads.take(session, session.scalars(sa.select(Login.id).where(Login.email == email_of("service_head"))).one(), 2, 10)
