"""Nobody reaches a page without the right for it, and no route forgets to ask."""

import inspect
import re
from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount

from models.parties import PortalLevel, StaffRole
from portal.modules import all_modules, navigation
from portal.rights import CUSTOMER_LEVELS, RIGHTS, STAFF_ROLES
from portal.security.person import need
from tests.portal.conftest import APP, Portal
from tests.portal.world import LAST, email_of

VALUES = {
    "month": str(LAST),
    "number": "RE-2026-999999",
    "key": "L-100",
    "object_id": "999",
    "name": "x.pdf",
    "mail_id": "999",
    "index": "0",
    "proposal_id": "999",
    "batch_id": "999",
    "login_id": "999",
    "session_id": "999",
    "token": "falsch",
    "receipt_id": "999",
    "item_id": "999",
    "difference_id": "999",
    "delivery_id": "999",
    "line_id": "999",
    "asset_id": "999",
    "kind": "pick_list",
    "notice_id": "999",
}


def flat(routes: list[object]) -> Iterator[object]:
    """All routes of the application, also those inside included routers."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from flat(inner.routes)
        else:
            yield route


def rights_of(dependant: Dependant) -> set[tuple[str, ...]]:
    """What the route's dependencies ask for, at any depth."""
    asked = {d.call.rights for d in dependant.dependencies if isinstance(d.call, need)}
    return asked.union(*(rights_of(d) for d in dependant.dependencies))


ROUTES = [route for route in flat(APP.routes) if isinstance(route, APIRoute)]
GUARDED = [(route, asked) for route in ROUTES if (asked := rights_of(route.dependant))]


def test_every_route_asks_for_a_right_or_is_marked_public() -> None:
    bare = [r.path for r in ROUTES if not rights_of(r.dependant) and not getattr(r.endpoint, "public", False)]
    assert bare == []
    assert [r.path for r in flat(APP.routes) if not isinstance(r, APIRoute)] == ["/static"]
    assert isinstance(APP.routes[-1], Mount)


def test_the_walk_finds_a_planted_route() -> None:
    def planted() -> None:
        """Asks for nothing."""

    route = APIRoute("/vergessen", planted)
    assert rights_of(route.dependant) == set()
    assert not getattr(route.endpoint, "public", False)


def test_public_routes_are_the_known_ones() -> None:
    public = {r.path for r in ROUTES if getattr(r.endpoint, "public", False) and not r.path.startswith("/api/")}
    assert public == {
        "/anmelden", "/abmelden", "/zweiter-faktor", "/kennwort-vergessen", "/gesund", "/einladung", "/einladung/staerke",
        "/einladung/{token}", "/kennwort", "/kennwort/staerke", "/kennwort/{token}",
    }  # fmt: skip


def test_machines_are_asked_for_their_token(portal: Portal) -> None:
    browser = portal.browser()
    for route in ROUTES:
        if route.path.startswith("/api/"):
            answer = browser.request(next(iter(route.methods)), filled_path(route))
            assert answer.status_code == 401, route.path


def test_a_right_that_does_not_exist_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        need("abrechnung.fälschen")


def test_every_right_is_granted_to_somebody_and_every_role_is_known() -> None:
    assert set(STAFF_ROLES) == set(StaffRole)
    assert set(CUSTOMER_LEVELS) == set(PortalLevel)
    granted = frozenset().union(*STAFF_ROLES.values(), *CUSTOMER_LEVELS.values())
    assert granted == set(RIGHTS)
    assert all(not right.startswith("kunde.") for role in STAFF_ROLES.values() for right in role)


def filled_path(route: APIRoute) -> str:
    return re.sub(r"{(\w+)(:\w+)?}", lambda m: VALUES.get(m[1], "999"), route.path)


def test_permission_matrix(real_portal: Portal) -> None:
    """Logged out, without the right, with the right: for every route and every role."""
    browsers = {role.value: real_portal.browser(role.value) for role in StaffRole}
    browsers["customer"] = real_portal.browser(real_portal.world.contact_email)
    rights = {role.value: STAFF_ROLES[role] for role in StaffRole} | {"customer": CUSTOMER_LEVELS[PortalLevel.REPORTER]}
    nobody = real_portal.browser()
    for route, asked in GUARDED:
        path, method = filled_path(route), next(iter(route.methods))
        answer = nobody.request(method, path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/anmelden"), path
        for who, browser in browsers.items():
            if method == "POST" and path.startswith("/konto"):
                continue  # ends the sessions that the rest of the matrix needs; has tests of its own
            status = browser.request(method, path).status_code
            if any(rights[who].isdisjoint(one_of) for one_of in asked):
                assert status == 403, f"{who} {method} {path}"
            else:
                assert status != 403, f"{who} {method} {path}"
                assert status < 500, f"{who} {method} {path}"


def test_navigation_shows_only_what_the_person_may_see(portal: Portal) -> None:
    page = portal.browser("technician").get("/uebersicht").text
    assert "/leistungen" in page
    assert "/abrechnung" not in page
    assert "/verwaltung" not in page
    page = portal.browser("service_head").get("/uebersicht").text
    assert "/abrechnung" in page
    assert "/verwaltung/zugaenge" in page
    assert "/start" not in page


def test_entries_of_the_navigation_lead_to_pages(portal: Portal) -> None:
    head, customer = portal.browser("service_head"), portal.browser(portal.world.contact_email)
    for entry in navigation(all_modules()):
        browser = customer if entry.rights == ("kunde.start",) else head
        assert browser.get(entry.path).status_code == 200, entry.path


def test_shortcuts_are_given_once() -> None:
    letters = [entry.shortcut for entry in navigation(all_modules()) if entry.shortcut]
    assert len(letters) == len(set(letters))


def test_routes_are_plain_functions() -> None:
    """Sessions are synchronous: an async route would block the loop."""
    assert [r.path for r in ROUTES if inspect.iscoroutinefunction(r.endpoint)] == []


def test_a_technician_sees_only_own_work(portal: Portal) -> None:
    other = portal.browser("materials")
    assert "L-100" not in other.get("/leistungen?stand=alle").text
    assert other.get("/leistungen/L-100").status_code == 404
    assert portal.browser("technician").get("/leistungen/L-100").status_code == 200


def test_roles_decide_and_end_with_the_employment(portal: Portal) -> None:
    from kit.database import unit_of_work
    from models.parties import Employee

    browser = portal.browser("back_office")
    assert browser.get("/abrechnung").status_code == 200
    with unit_of_work("test") as session:
        row = session.get_one(Employee, portal.world.people["back_office"].id)
        row.roles = ["technician"]
    assert browser.get("/abrechnung").status_code == 403
    with unit_of_work("test") as session:
        session.get_one(Employee, portal.world.people["back_office"].id).active = False
    assert browser.get("/uebersicht").headers["location"].startswith("/anmelden")
    assert email_of("back_office") == "back.office@probehaus.example"
