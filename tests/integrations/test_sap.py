"""The invoice book: each invoice once, whatever happens to an answer; files and a faithful Service Layer behind one port."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.sap.files import FilesBook, sap_json
from integrations.sap.null import NullBook
from integrations.sap.payload import body_json, document
from integrations.sap.port import (
    InvoiceBook,
    SapKind,
    SapLine,
    SapLoginError,
    SapRefusedError,
    SapTotalsError,
    SapUnavailableError,
)
from integrations.sap.service_layer import ServiceLayer, ServiceLayerBook
from tests.fake_service_layer import FakeServiceLayer
from tests.integrations.making_sap import invoice, line, storno
from tests.servers import free_ports


def book(fake: FakeServiceLayer, **changes: object) -> ServiceLayerBook:
    values: dict[str, Any] = {"url": fake.url, "company": "RURTAL", "user": "drehkreuz", "password": "geheim", "timeout": 5.0}
    return ServiceLayerBook(ServiceLayer(**{**values, **changes}))


# --- the Service Layer ------------------------------------------------------------------------------------------------------


@pytest.mark.promise("S27")
def test_an_invoice_is_posted_once_however_often_it_is_asked() -> None:
    with FakeServiceLayer() as fake, book(fake) as out:
        first = out.post(invoice())
        again = out.post(invoice())

    (row,) = fake.documents["Invoices"].values()
    assert (first.document, first.entry, first.found) == ("20001", 501, False)
    assert (again.document, again.entry, again.found) == ("20001", 501, True)
    assert {k: row[k] for k in ("CardCode", "NumAtCard", "U_DK_BillingId", "U_DK_ServiceReport", "DocDate", "DocDueDate")} == {
        "CardCode": "C10023",
        "NumAtCard": "RE-2026-000001",
        "U_DK_BillingId": "6f1c",
        "U_DK_ServiceReport": "SB-2026-000001",
        "DocDate": "2026-11-02",
        "DocDueDate": "2026-11-16",
    }
    assert (row["Comments"], row["JournalMemo"]) == ("Servicebericht SB-2026-000001", "Abrechnung 10/2026")
    assert fake.logins == 1
    assert fake.sessions == set()


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("fault", ["drop after", "500 after", "not json after", "stall after"])
def test_a_lost_answer_is_resolved_by_looking(fault: str, version: str) -> None:
    with FakeServiceLayer(faults=(fault,), version=version) as fake, book(fake, timeout=0.3) as out:
        posting = out.post(invoice())
        assert posting.found is False
        assert out.post(invoice()).found is True
    assert len(fake.documents["Invoices"]) == 1
    assert fake.requests.count("POST /Invoices") == 1


@pytest.mark.parametrize("fault", ["drop before", "503"])
def test_a_request_that_did_not_arrive_is_left_to_the_next_visit(fault: str) -> None:
    with FakeServiceLayer(faults=(fault,)) as fake, book(fake) as out:
        with pytest.raises(SapUnavailableError, match=r"RE-2026-000001.*nächste Lauf sieht zuerst wieder nach"):
            out.post(invoice())
        assert fake.requests.count("POST /Invoices") == 1
        assert out.post(invoice()).found is False
    assert len(fake.documents["Invoices"]) == 1


def test_an_ended_session_is_opened_anew() -> None:
    with FakeServiceLayer(faults=("expire",)) as fake, book(fake) as out:
        out.post(invoice("a"))
        fake.expire()
        out.post(invoice("b", number="RE-2026-000002"))
    assert fake.logins == 3
    assert len(fake.documents["Invoices"]) == 2


def test_a_wrong_login_is_named() -> None:
    with FakeServiceLayer() as fake:
        with book(fake, password="falsch") as out, pytest.raises(SapLoginError, match="DREHKREUZ_SAP_PASSWORD"):
            out.post(invoice())
        with book(fake, company="ANDERE") as out, pytest.raises(SapLoginError, match="Anmeldung von drehkreuz an ANDERE"):
            out.find(invoice())
    assert "geheim" not in repr(ServiceLayer("x", "c", "u", "geheim"))


def test_the_path_is_completed_for_those_who_give_the_server_only() -> None:
    with FakeServiceLayer() as fake, book(fake, url=fake.url.removesuffix("/b1s/v2")) as out:
        assert out.find(invoice()) is None


def test_nobody_listens() -> None:
    nowhere = ServiceLayer(f"http://127.0.0.1:{free_ports(1)[0]}", "RURTAL", "u", "p")
    with ServiceLayerBook(nowhere) as out, pytest.raises(SapUnavailableError, match="nicht erreichbar"):
        out.post(invoice())


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"card_code": "C99999"}, r"Invalid BP code 'C99999'.*Code -5002"),
        ({"lines": (SapLine("x", Decimal("95.00"), Decimal(19), "9999"),)}, "Account not found"),
    ],
)
def test_a_business_no_says_what_sap_said(changes: dict[str, object], words: str, version: str) -> None:
    with FakeServiceLayer(version=version) as fake, book(fake) as out, pytest.raises(SapRefusedError, match=words):
        out.post(invoice(**changes))  # type: ignore[arg-type]
    assert fake.documents["Invoices"] == {}


@pytest.mark.parametrize(("offset", "words"), [("0.01", "113.06"), ("-0.01", "113.04")])
def test_a_cent_of_difference_stops_and_is_found_again(offset: str, words: str) -> None:
    with FakeServiceLayer() as fake, book(fake) as out:
        fake.vat_offset = Decimal(offset)
        for _ in range(2):
            with pytest.raises(SapTotalsError, match=rf"SAP-Beleg 20001 lautet auf {words}.*unsere Rechnung auf 113.05"):
                out.post(invoice())
    assert len(fake.documents["Invoices"]) == 1


def test_rounding_by_row_in_sap_is_noticed() -> None:
    lines = tuple(line("0.10") for _ in range(3))
    ours = invoice(lines=lines, net=Decimal("0.30"), vat=Decimal("0.06"), gross=Decimal("0.36"))
    with FakeServiceLayer() as fake, book(fake) as out:
        assert out.post(ours).found is False
    ours = invoice(lines=lines[:1] * 13, net=Decimal("1.30"), vat=Decimal("0.25"), gross=Decimal("1.55"))
    with FakeServiceLayer(vat_by="row") as fake, book(fake) as out, pytest.raises(SapTotalsError):
        out.post(ours)


def test_quotes_in_a_key_stay_in_the_filter() -> None:
    evil = "x' or U_DK_BillingId ne 'y"
    with FakeServiceLayer() as fake, book(fake) as out:
        out.post(invoice())
        assert out.find(invoice(evil)) is None
        assert out.post(invoice(evil, number="RE-2")).found is False
        assert out.post(invoice(evil, number="RE-2")).found is True


def test_two_documents_with_one_key_need_a_person() -> None:
    with FakeServiceLayer() as fake, book(fake) as out:
        out.post(invoice())
        fake.add("Invoices", {**document(invoice())})
        with pytest.raises(SapRefusedError, match=r"mehrere Belege \(20001, 20002\)"):
            out.post(invoice())


def test_without_a_field_of_ours_the_number_finds_the_document() -> None:
    with FakeServiceLayer(fields=False) as fake, book(fake, key_field="") as out:
        assert out.post(invoice()).found is False
        assert out.post(invoice()).found is True
        assert out.post(invoice("z", number="RE-2026-000002")).found is False
        with pytest.raises(SapRefusedError, match="Schlüsselfeld"):
            out.post(invoice(number=""))


def test_sap_may_give_the_number() -> None:
    with FakeServiceLayer() as fake, book(fake) as out:
        posting = out.post(invoice(number=""))
        assert posting.number == "20001"
        assert out.post(invoice(number="")).number == "20001"
    assert "NumAtCard" not in fake.documents["Invoices"][501]


def test_without_a_sap_customer_nothing_is_sent() -> None:
    with FakeServiceLayer() as fake, book(fake) as out, pytest.raises(SapRefusedError, match="SAP-Kundennummer"):
        out.post(invoice(card_code=""))
    assert fake.requests == []


# --- Storno -----------------------------------------------------------------------------------------------------------------


def test_a_cancellation_as_credit_note_refers_to_the_invoice_and_carries_its_own_number() -> None:
    with FakeServiceLayer() as fake, book(fake) as out:
        out.post(invoice())
        first, again = out.post(storno()), out.post(storno())

    (note,) = fake.documents["CreditNotes"].values()
    assert (first.found, again.found, first.entry) == (False, True, again.entry)
    assert (note["NumAtCard"], note["U_DK_BillingId"], note["Comments"]) == (
        "RE-2026-000009",
        "9a2b",
        "Servicebericht SB-2026-000001, Storno von RE-2026-000001",
    )
    assert [(one["BaseType"], one["BaseEntry"], one["BaseLine"]) for one in note["DocumentLines"]] == [(13, 501, 0)]
    assert fake.documents["Invoices"][501]["DocumentStatus"] == "bost_Close"


@pytest.mark.parametrize("fault", ["", "drop after", "500 after", "expire"])
def test_a_cancellation_by_sap_itself_happens_once(fault: str) -> None:
    with FakeServiceLayer(faults=("", fault)) as fake, book(fake, storno="cancel") as out:
        out.post(invoice())
        assert out.post(storno()).found is False
        assert out.post(storno()).found is True
        # SAP copies our key into its cancellation document; the invoice is still found as one
        assert out.post(invoice()).found is True
    assert [row["CancelStatus"] for row in fake.documents["Invoices"].values()] == ["csYes", "csCancellation"]
    assert fake.documents["CreditNotes"] == {}


def test_a_cancellation_that_did_not_arrive_is_left_to_the_next_visit() -> None:
    with FakeServiceLayer(faults=("", "drop before")) as fake, book(fake, storno="cancel") as out:
        out.post(invoice())
        with pytest.raises(SapUnavailableError):
            out.post(storno())
        assert out.post(storno()).found is False


@pytest.mark.parametrize("way", ["cancel", "credit_note"])
def test_a_cancellation_of_what_sap_never_got(way: str) -> None:
    missing = pytest.raises(SapRefusedError, match="RE-2026-000001 ist nicht in SAP")
    with FakeServiceLayer() as fake, book(fake, storno=way) as out, missing:
        out.post(storno())


def test_a_credit_note_stands_alone() -> None:
    credit = invoice(kind=SapKind.CREDIT_NOTE, number="RE-2026-000010", cancels="RE-2026-000001")
    with FakeServiceLayer() as fake, book(fake) as out:
        assert out.post(credit).found is False
        assert out.post(credit).found is True
    assert len(fake.documents["CreditNotes"]) == 1


# --- a client by others speaks to the same fake ---------------------------------------------------------------------------


def test_the_fake_is_a_service_layer_for_a_client_by_others() -> None:
    # imported here: it describes the whole of SAP, and every process of the suite would wait for it
    from b1sl.b1sl.client import B1Client
    from b1sl.b1sl.config import B1Config
    from b1sl.b1sl.exceptions.exceptions import B1AuthError, B1NotFoundError, B1ValidationError
    from b1sl.b1sl.models._generated.entities.general import Document

    with FakeServiceLayer() as fake:
        config = B1Config(base_url=fake.url, username="drehkreuz", password="geheim", company_db="RURTAL")
        with book(fake) as out:
            out.post(invoice())
        with B1Client(config) as peer:
            held = peer.invoices.filter("U_DK_BillingId eq '6f1c'").execute()
            theirs = peer.invoices.create(
                Document.model_validate(json.loads(body_json(document(invoice("peer", number="RE-7")))))
            )
            with pytest.raises(B1ValidationError, match="-5002"):
                peer.invoices.create(Document.model_validate({"CardCode": "C99999", "DocumentLines": []}))
            with pytest.raises(B1NotFoundError, match="-2028"):
                peer.invoices.get(4711)
            fake.expire()
            assert peer.invoices.get(theirs.doc_entry).num_at_card == "RE-7"
        with book(fake) as out:
            assert out.post(invoice("peer", number="RE-7")).found is True
        assert [(d.num_at_card, d.doc_total, d.vat_sum) for d in held] == [("RE-2026-000001", 113.05, 18.05)]
        wrong = B1Config(base_url=fake.url, username="drehkreuz", password="falsch", company_db="RURTAL")
        with B1Client(wrong) as peer, pytest.raises(B1AuthError):
            peer.invoices.get(501)


# --- for every book -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"net": Decimal("94.99")},
        {"vat": Decimal("18.04")},
        {"gross": Decimal("113.06")},
        {"lines": ()},
        {"key": ""},
    ],
)
def test_figures_that_do_not_add_up_never_leave(tmp_path: Path, changes: dict[str, object]) -> None:
    with FakeServiceLayer() as fake, book(fake) as remote:
        books: list[InvoiceBook] = [FilesBook(tmp_path), NullBook(), remote]
        for one in books:
            with pytest.raises(SapRefusedError, match="gehen nicht auf"):
                one.post(invoice(**{"key": "k", **changes}))  # type: ignore[arg-type]
    assert fake.requests == []
    assert list(tmp_path.iterdir()) == []


def test_a_rate_without_group_is_named() -> None:
    with pytest.raises(SapRefusedError, match=r"für 16 % .*Steuergruppe"):
        sap_json(invoice(lines=(SapLine("x", Decimal("95.00"), Decimal(16), "8400"),)))


def test_the_null_book_keeps_its_promise() -> None:
    with NullBook() as out:
        assert out.find(invoice()) is None
        assert out.post(invoice()).found is False
        assert out.post(invoice()).found is True
        assert list(out.posted) == ["6f1c"]


@given(st.decimals(min_value=Decimal("-9999999999.99"), max_value=Decimal("9999999999.99"), places=2))
def test_json_says_exactly_the_cents(amount: Decimal) -> None:
    written = body_json({"LineTotal": amount})
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal)["LineTotal"] == amount


def test_an_amount_that_json_cannot_say_exactly_is_refused() -> None:
    with pytest.raises(SapRefusedError, match="zu viele Stellen"):
        body_json({"LineTotal": Decimal("12345678901234567.89")})


@given(st.text(max_size=300))
def test_any_text_fits_its_field(text: str) -> None:
    made = invoice(lines=(line(text=text),), month=text, report_id=text)
    body = document(made)
    assert len(body["DocumentLines"][0]["ItemDescription"]) <= 100
    assert len(body.get("JournalMemo", "")) <= 50
    assert len(body.get("Comments", "")) <= 254
