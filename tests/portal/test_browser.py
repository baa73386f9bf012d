"""The portal in a real browser: desktop and phone, light and dark, with keys only and without any script."""

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn

from actions.invitations import ensure_login, first_link
from kit.database import unit_of_work
from portal.app import create_app
from tests.portal import world
from tests.portal.conftest import Portal
from tests.portal.test_post_and_tasks import ask, mail
from tests.portal.world import LAST, PASSWORD, email_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium fehlt"),
]
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
NAMELESS = """() => Array.from(document.querySelectorAll("input, select, textarea, button, a[href], summary"))
    .filter(e => e.type !== "hidden" && !e.hidden && e.getClientRects().length)
    .filter(e => !(e.labels && e.labels.length) && !e.getAttribute("aria-label") && !e.textContent.trim() && !e.title)
    .map(e => e.outerHTML.slice(0, 120))"""
SMALL = """() => Array.from(document.querySelectorAll("main button, main .btn, .phone-foot a, .phone-bar summary"))
    .map(e => [e.getBoundingClientRect(), e.textContent.trim()])
    .filter(([r]) => r.width && (r.height < 32 || r.width < 32)).map(([r, t]) => `${t} ${r.width}x${r.height}`)"""
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"


def serve() -> tuple[uvicorn.Server, threading.Thread, int]:
    """The portal on a free port of this machine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="error", ws="none", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 100
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    return server, thread, listener.getsockname()[1]


@dataclass
class Chrome:
    """A browser before the portal. `said` collects everything that the console reported."""

    browser: object
    address: str
    said: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def page(self, viewport: dict[str, int] = DESKTOP, **options: object) -> Iterator[object]:
        context = self.browser.new_context(viewport=viewport, locale="de-DE", base_url=self.address, **options)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: self.said.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"{page.url}: {error}"))
        yield page
        context.close()
        assert self.said == []

    @contextlib.contextmanager
    def signed_in(self, role: str, viewport: dict[str, int] = DESKTOP, **options: object) -> Iterator[object]:
        with self.page(viewport, **options) as page:
            page.goto("/anmelden")
            page.get_by_label("E-Mail-Adresse").fill(email_of(role) if "@" not in role else role)
            page.get_by_label("Kennwort", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Anmelden").click()
            page.wait_for_url("**/uebersicht" if "@" not in role else "**/start")
            yield page


@pytest.fixture(scope="module")
def running(home: object) -> Iterator[tuple[object, str]]:
    """One server and one browser for all tests of this file."""
    from playwright.sync_api import sync_playwright

    server, thread, port = serve()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser, f"http://127.0.0.1:{port}"
        browser.close()
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def chrome(running: tuple[object, str], real_portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Chrome:
    monkeypatch.setenv("DREHKREUZ_SECOND_FACTOR", "optional")
    with unit_of_work("test") as session:
        for who in (email_of("back_office"), email_of("service_head"), real_portal.world.contact_email):
            ensure_login(session, who, PASSWORD)
    return Chrome(*running)


def look_over(page: object, path: str, *, phone: bool) -> None:
    """What holds for every page: it fits, everything has a name, fingers find the buttons."""
    answer = page.goto(path)
    assert answer.status == 200, path
    assert page.evaluate(TOO_WIDE) <= 0, f"{path} ist zu breit"
    assert page.evaluate(NAMELESS) == [], path
    assert page.locator("h1").count() == 1, path
    assert page.locator("main").count() == 1, path
    if phone:
        assert page.evaluate(SMALL) == [], path


def all_pages(portal: Portal) -> list[str]:
    """Every page of the house with something on it: work, a released month, mails, tasks."""
    mail_id, task = mail(portal), ask(portal, "back_office")
    with unit_of_work("test") as session:
        world.release_month(session)
        world.issue_month(session)
        number = f"RE-{LAST.year}-000001"
    month = f"/abrechnung/{LAST}"
    return [
        "/uebersicht", "/aufgaben", f"/aufgaben/{task}", "/leistungen", "/leistungen?stand=alle", "/leistungen/L-900", "/leistungen/L-100",
        "/abrechnung", month, f"{month}/dokumente", f"{month}/uebergabe", f"{month}/zurueckziehen/K1003", "/abrechnung/korrekturen",
        f"/abrechnung/{LAST.plus(1)}/vorschau?rechnen=1", f"/abrechnung/{LAST.plus(1)}/freigabe", f"/rechnungen/{number}", f"/rechnungen/{number}/storno",
        "/postausgang", f"/postausgang/{mail_id}", "/suche?q=K100", "/konto", "/konto/zweiter-faktor",
        "/verwaltung/zugaenge", "/verwaltung/zugaenge?kreis=kunden", "/verwaltung/zugaenge/1", "/verwaltung/rechte",
    ]  # fmt: skip


def test_every_page_fits_desktop_and_phone_without_a_word_on_the_console(chrome: Chrome, real_portal: Portal) -> None:
    paths = all_pages(real_portal)
    for viewport in (DESKTOP, PHONE):
        with chrome.signed_in("service_head", viewport) as page:
            for path in paths:
                look_over(page, path, phone=viewport is PHONE)
    with chrome.page(PHONE) as page:
        for path in ("/anmelden", "/kennwort-vergessen", "/einladung"):
            look_over(page, path, phone=True)
    with chrome.signed_in(real_portal.world.contact_email, PHONE) as page:
        look_over(page, "/start", phone=True)


def test_approving_with_keys_only(chrome: Chrome) -> None:
    with chrome.signed_in("back_office") as page:
        page.keyboard.press("g")
        page.keyboard.press("f")
        page.wait_for_url("**/leistungen")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("x")
        assert page.locator("[data-picked-count]").inner_text() == "2"
        page.keyboard.press("f")
        page.get_by_text("2 Leistungen sind freigegeben.").wait_for()
        assert page.locator("tr[data-row]").count() == 1
        page.keyboard.press("?")
        page.get_by_role("heading", name="Tastenkürzel").wait_for()
        page.get_by_label("Tastenkürzel verwenden").uncheck()
        page.get_by_role("button", name="Schließen").click()
        page.keyboard.press("?")
        assert not page.get_by_role("heading", name="Tastenkürzel").is_visible()
    with chrome.signed_in("back_office") as page:
        page.goto("/leistungen")
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.textContent") == "Zum Inhalt springen"
        page.keyboard.press("Enter")
        assert page.evaluate("() => document.activeElement.id") == "inhalt"


def release(page: object) -> None:
    page.get_by_role("link", name="Freigeben …").click()
    page.get_by_role("heading", name="freigeben?").wait_for()
    page.get_by_role("button", name="Genau so freigeben").click()
    page.wait_for_url(f"**/abrechnung/{LAST}")
    page.get_by_text("ist freigegeben").first.wait_for()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_month_is_released_and_its_progress_renews_itself(chrome: Chrome, viewport: dict[str, int]) -> None:
    with chrome.signed_in("back_office", viewport) as page:
        page.goto(f"/abrechnung/{LAST}/vorschau")  # not known yet: the page comes first, the preview follows
        page.get_by_role("heading", name="Bleibt zurück").wait_for()
        release(page)
        stand = page.locator("#stand")
        assert "0 von 3" in stand.inner_text()
        with unit_of_work("test") as session:
            world.issue_month(session)
        stand.get_by_text("fertig").first.wait_for()
        assert page.evaluate(TOO_WIDE) <= 0


def test_everything_works_without_scripts(chrome: Chrome) -> None:
    with chrome.signed_in("back_office", PHONE, java_script_enabled=False) as page:
        page.locator(".phone-bar summary").click()
        page.locator(".phone-bar .sheet").get_by_role("link", name="Leistungen").click()
        page.get_by_label("Leistung L-900 auswählen").check()
        page.get_by_role("button", name="Ausgewählte freigeben").click()
        page.get_by_text("Eine Leistung ist freigegeben.").wait_for()
        page.goto(f"/abrechnung/{LAST}/vorschau")
        page.get_by_role("link", name="Vorschau berechnen").click()
        release(page)
        page.locator(".phone-bar summary").click()
        page.locator(".phone-bar .sheet").get_by_role("button", name="Abmelden").click()
        page.get_by_text("Sie sind abgemeldet.").wait_for()


def test_pages_follow_the_systems_light(chrome: Chrome) -> None:
    background = "() => getComputedStyle(document.body).backgroundColor"
    seen = []
    for scheme in ("light", "dark"):
        with chrome.page(color_scheme=scheme) as page:
            page.goto("/anmelden")
            seen.append((page.locator("html").get_attribute("data-bs-theme"), page.evaluate(background)))
    assert [theme for theme, _ in seen] == ["light", "dark"]
    assert seen[0][1] != seen[1][1]


def test_a_form_on_a_foreign_page_is_refused(chrome: Chrome) -> None:
    context = chrome.browser.new_context()
    page = context.new_page()
    page.set_content(f'<form method="post" action="{chrome.address}/abmelden"><button>x</button></form>')
    with page.expect_navigation() as answer:
        page.get_by_role("button").click()
    assert answer.value.status == 403
    context.close()


def test_a_mail_stays_in_its_frame(chrome: Chrome, real_portal: Portal) -> None:
    mail_id = mail(real_portal)
    with chrome.signed_in("back_office") as page:
        page.goto(f"/postausgang/{mail_id}")
        page.frame_locator("iframe").get_by_text("Guten Tag").wait_for()


def test_two_people_at_one_record_see_both_versions_and_take_one_over(chrome: Chrome) -> None:
    """What is chosen stands in the field at once; what is typed there afterwards is one's own again."""
    with chrome.signed_in("service_head", PHONE) as mine, chrome.signed_in("back_office") as theirs:
        for page in (mine, theirs):
            page.goto("/kunden/K1001/bearbeiten")
        theirs.get_by_label("Straße").fill("Neuer Weg 1")
        theirs.get_by_role("button", name="Speichern").click()
        theirs.wait_for_url("**/kunden/K1001")
        street = mine.get_by_label("Straße", exact=False).last
        street.fill("Anderer Weg 2")
        mine.get_by_role("button", name="Speichern").click()
        other = mine.get_by_label("Gespeichert von Ines Innert")
        other.check()
        assert street.input_value() == "Neuer Weg 1"
        street.fill("Dritter Weg 3")
        assert mine.get_by_label("Ihre Eingabe").is_checked()
        assert mine.evaluate(TOO_WIDE) <= 0
        other.check()
        mine.get_by_role("button", name="Speichern").click()
        mine.wait_for_url("**/kunden/K1001")
        mine.get_by_text("Neuer Weg 1").first.wait_for()
        chrome.said[:] = [line for line in chrome.said if "409" not in line]  # the browser reports the status of the page


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_code_of_a_mailed_link_never_leaves_in_an_address(chrome: Chrome, *, scripts: bool) -> None:
    """Behind the `#` it reaches neither log nor referrer; the script sends it in a form, without one it is pasted."""
    with unit_of_work("test") as session:
        link = first_link(session, email_of("technician"))
    code, asked = link.partition("#")[2], []
    with chrome.page(PHONE, java_script_enabled=scripts) as page:
        page.on("request", lambda request: asked.append(request.url + str(request.headers.get("referer"))))
        page.goto(f"/einladung#{code}")
        if not scripts:
            page.get_by_label("Code oder Link aus der Mail").fill(link)
            page.get_by_role("button", name="Weiter").click()
        page.get_by_label("Kennwort", exact=True).fill(PASSWORD)
        if scripts:
            page.locator("[role=status]").get_by_text("Kennwort").wait_for()
        page.get_by_label("Kennwort wiederholen").fill(PASSWORD)
        assert code not in page.url
        page.get_by_role("button", name="Kennwort speichern").click()
        page.get_by_text("Ihr Kennwort ist gespeichert.").wait_for()
    assert asked
    assert not any(code in address for address in asked)
