"""The camera as a scanner: a real browser films our own pick list, what it reads is booked like a hand scanner's reading."""

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from actions.goods import papers
from actions.invitations import ensure_login
from integrations.documents.goods import render_pick_list
from kit.database import unit_of_work
from models.goods import Delivery, DeliveryState, GoodsReceiptLine
from portal import edge
from tests.documents.pictures import cut_out
from tests.goods import world
from tests.goods.test_pages import stock
from tests.portal.conftest import Portal
from tests.portal.test_browser import ARGS, CHROMIUM, PHONE, TOO_WIDE, Chrome, look_over, serve
from tests.portal.world import PASSWORD, email_of

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.skipif(CHROMIUM is None, reason="chromium fehlt")]
SERIALS = ("NB14503152910", "NB14503152911")
FRAMES = 12
"""Pictures of each thing in turn, thirty a second."""
CAMERA = "--use-fake-device-for-media-stream"
GRANT = "--use-fake-ui-for-media-stream"
IS_ON = "() => { const v = document.querySelector('video'); return Boolean(v.srcObject && v.srcObject.active); }"
HIDE = """() => { Object.defineProperty(document, "hidden", { value: true });
    document.dispatchEvent(new Event("visibilitychange")); }"""
NATIVE = """globalThis.BarcodeDetector = class {
    static getSupportedFormats() {
        return Promise.resolve(["code_128", "code_39", "code_93", "ean_13", "ean_8", "upc_a", "upc_e", "qr_code", "data_matrix"]); }
    detect(picture) { return Promise.resolve([
        { rawValue: "am Rand", boundingBox: { x: 0, y: 0, width: 20, height: 10 } },
        { rawValue: "KAB-1", boundingBox: { x: picture.width / 2 - 20, y: picture.height / 2, width: 40, height: 10 } }]); } };"""


def film(pictures: list[Image.Image | None], target: Path) -> None:
    """Motion JPEG of 1280 x 720 as the browser's stand-in for a camera plays it, over and over; None is the bare desk."""
    with target.open("wb") as file:
        for picture in pictures:
            frame = Image.new("RGB", (1280, 720), (188, 180, 168))
            if picture is not None:
                frame.paste(picture, ((1280 - picture.width) // 2, (720 - picture.height) // 2))
            packed = io.BytesIO()
            frame.save(packed, "JPEG", quality=85)
            file.write(packed.getvalue() * FRAMES)


def delivered() -> Delivery:
    with unit_of_work("test") as session:
        return session.scalars(sa.select(Delivery)).one()


def pick_list() -> bytes:
    """The pick list that lies on the desk."""
    with unit_of_work("test") as session:
        return render_pick_list(papers.content_of(session, session.scalars(sa.select(Delivery)).one()))


def counted() -> list[int]:
    """What is counted by position."""
    with unit_of_work("test") as session:
        return [int(n or 0) for n in session.scalars(sa.select(GoodsReceiptLine.counted).order_by(GoodsReceiptLine.position))]


def until(true: Callable[[], bool], what: str, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


Launch = Callable[..., contextlib.AbstractContextManager[Chrome]]


@pytest.fixture
def launch(real_portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    """A portal with two notebooks and a cable on the desk; a browser with the camera that its arguments name."""
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DREHKREUZ_SECOND_FACTOR", "optional")
    stock(real_portal, world.line("NB-1", 2, list(SERIALS), of="1"), world.line("KAB-1", 1, of="2"))
    with unit_of_work("test") as session:
        ensure_login(session, email_of("materials"), PASSWORD)
    server, thread, port = serve()

    @contextlib.contextmanager
    def launched(*arguments: str) -> Iterator[Chrome]:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *arguments])
            yield Chrome(browser, f"http://127.0.0.1:{port}")
            browser.close()

    yield launched
    server.should_exit = True
    thread.join(20)


@pytest.mark.promise("S20")
def test_what_the_camera_reads_is_booked_like_a_reading_of_the_hand_scanner(launch: Launch, tmp_path: Path) -> None:
    paper, delivery = pick_list(), delivered()
    with unit_of_work("test") as session:
        ticket = papers.content_of(session, session.get_one(Delivery, delivery.id)).scan_code
    desk = tmp_path / "desk.mjpeg"  # opened anew whenever the camera starts
    things = [*(cut_out(paper, what) for what in (*SERIALS, "KAB-1")), None]
    film(things, desk)
    with (
        launch(CAMERA, GRANT, f"--use-file-for-fake-video-capture={desk}") as chrome,
        chrome.signed_in("materials", PHONE) as page,
    ):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        look_over(page, f"/wareneingang/{delivery.receipt_id}", phone=True)
        start = page.get_by_role("button", name="Kamera benutzen")
        start.click()
        until(lambda: counted()[0] == 2 and counted()[1] > 0, "Geräte und Kabel gezählt")
        page.locator(".pill.green", has_text=SERIALS[1]).wait_for()
        assert page.evaluate(IS_ON)
        assert page.evaluate(TOO_WIDE) <= 0
        page.get_by_role("button", name="Kamera beenden").click()
        assert not page.evaluate(IS_ON)
        start.click()
        page.wait_for_function(IS_ON)
        page.evaluate(HIDE)
        assert not page.evaluate(IS_ON)
        assert "im Hintergrund" in page.get_by_role("status").text_content()
        film([cut_out(paper, ticket), None], desk)
        page.goto("/lieferungen")
        start.click()
        page.wait_for_url(f"**/lieferungen/{delivery.id}", timeout=60_000)
        film(things, desk)
        start.click()
        until(lambda: delivered().state is DeliveryState.PICKED, "alles kommissioniert")
        page.get_by_role("button", name="Packen und Lieferschein").wait_for()
        assert all(url.startswith(chrome.address) for url in asked)
        assert any(".wasm" in url for url in asked)


def test_a_browser_that_knows_our_codes_reads_them_itself_nearest_to_the_middle(launch: Launch) -> None:
    with launch(CAMERA, GRANT) as chrome, chrome.signed_in("materials", PHONE) as page:
        page.add_init_script(NATIVE)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/wareneingang/{delivered().receipt_id}")
        page.get_by_role("button", name="Kamera benutzen").click()
        until(lambda: counted() == [0, 1], "ein Kabel gezählt")
        page.get_by_role("status").get_by_text("1 von 1").wait_for()
        assert counted() == [0, 1]
        assert not [url for url in asked if "zxing" in url or "worker" in url]


def test_a_hand_scanner_faster_than_the_page_loses_nothing(launch: Launch) -> None:
    with launch(f"{CAMERA}=device-count=0") as chrome, chrome.signed_in("materials") as page:
        page.goto(f"/wareneingang/{delivered().receipt_id}")
        page.keyboard.type(f"{SERIALS[0]}\n{SERIALS[1]}\nKAB-1\nFREMD-1\n")
        until(lambda: counted() == [2, 1], "alles gezählt")
        page.get_by_role("status").get_by_text("FREMD-1 steht nicht im Lieferavis").wait_for()
        assert page.evaluate("() => document.activeElement.id") == "code"
        page.get_by_role("button", name="Prüfung abschließen").click()
        page.get_by_text("alles stimmt mit dem Lieferschein überein").wait_for()


def test_a_refused_camera_says_what_to_do_and_a_device_without_one_offers_none(launch: Launch) -> None:
    place = f"/wareneingang/{delivered().receipt_id}"
    with launch(CAMERA, "--deny-permission-prompts") as chrome, chrome.signed_in("materials", PHONE) as page:
        page.goto(place)
        page.get_by_role("button", name="Kamera benutzen").click()
        page.get_by_text("Der Zugriff auf die Kamera ist nicht erlaubt.").wait_for()
        assert page.get_by_role("button", name="Kamera benutzen").is_enabled()
        page.get_by_label("Strichcode lesen").fill(SERIALS[0])
        page.get_by_role("button", name="Übernehmen", exact=True).click()
        page.get_by_role("status").get_by_text("1 von 2").wait_for()
    with launch(f"{CAMERA}=device-count=0") as chrome, chrome.signed_in("materials") as page:
        page.goto(place)
        page.get_by_label("Strichcode lesen").wait_for()
        assert page.get_by_role("button", name="Kamera benutzen").count() == 0


def test_only_pages_that_read_barcodes_may_ask_for_the_camera(portal: Portal) -> None:
    stock(portal, world.line("KAB-1", 1, of="2"))
    browser = portal.browser("materials")
    with unit_of_work("test") as session:
        delivery = session.scalars(sa.select(Delivery)).one()
    for path in ("/lieferungen", f"/lieferungen/{delivery.id}", f"/wareneingang/{delivery.receipt_id}"):
        answer = browser.get(path)
        assert answer.headers["permissions-policy"].endswith("camera=(self)"), path
        assert answer.headers["content-security-policy"] == edge.POLICY, path
    for path in ("/wareneingang", "/uebersicht", "/konto", "/lieferungen/99999", "/static/portal.js"):
        answer = browser.get(path)
        assert answer.headers["permissions-policy"].endswith("camera=()"), path
        assert "unsafe" not in answer.headers["content-security-policy"], path
    worker = browser.get("/static/camera-worker.js").headers["content-security-policy"]
    assert worker == edge.WORKER_POLICY
    assert "default-src 'none'" in worker
