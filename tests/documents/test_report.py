"""The service report, read as its recipient reads it."""

import datetime as dt
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from integrations.documents.contents import Charge, Kind, Place, ReportContent
from integrations.documents.report import render_report
from tests.documents import hostile, pdf, samples
from tests.documents.conftest import Issued

GOLDEN = Path(__file__).parent / "golden"


def compare(name: str, found: str) -> None:
    """With GOLDEN=write the text becomes the new standard; look at the difference before it is committed."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(found, "utf-8")
    assert found == file.read_text("utf-8")


def test_a_whole_report_reads_as_agreed(report_pdf: bytes) -> None:
    compare("report", pdf.text(report_pdf))


def test_sites_stand_apart_with_their_sums() -> None:
    entries = tuple(samples.entry(i, site=("", "Lager Neuss")[i % 2]) for i in range(8))
    compare("report-sites", pdf.text(render_report(samples.report(entries=entries, payer=samples.BRANCH))))


@pytest.mark.promise("S165")
def test_the_id_is_found_wherever_one_looks(report_pdf: bytes) -> None:
    pages = pdf.pages(report_pdf)

    assert len(pages) == 3
    assert all(samples.REPORT in page for page in pages)
    assert f'<rdf:li xml:lang="x-default">Servicebericht {samples.REPORT}' in pdf.metadata(report_pdf)


@pytest.mark.promise("S77")
def test_each_entry_names_who_did_what_when_for_which_ticket() -> None:
    entry = samples.entry(2, kind=Kind.WEEKEND, place=Place.ON_SITE, trips=2)
    found = pdf.flat(render_report(samples.report(entries=(entry,))))

    assert "105 min T-2026-001002 · VPN-Zugang Zweigstelle" in found
    assert (
        "Sa 03.10. 11:10–12:00, geleistet 95 min · Friederike Schäfer-Lindemann · vor Ort · Wochenende · 2 Anfahrten · Rechnung"
        in found
    )
    assert "Frau Größner am Telefon getestet" in found


@pytest.mark.promise("S157", "S158")
def test_billable_and_other_work_stand_apart_and_each_free_entry_has_its_reason() -> None:
    entries = (samples.entry(0), samples.entry(5, reason="Gewährleistung für Ticket T-2026-000900"))
    found = pdf.flat(render_report(samples.report(entries=entries)))

    billable, _, free = found.partition("Nicht abrechenbare Leistungen Diese")
    assert "T-2026-001000" in billable
    assert "T-2026-001005" not in billable
    assert "Nicht berechnet: Gewährleistung für Ticket T-2026-000900" in free
    assert "stellen wir Ihnen nicht in Rechnung; sie belasten auch kein Kontingent" in free


def test_a_split_entry_says_how_much_went_where() -> None:
    entry = samples.entry(1, charge=Charge.SPLIT, contract_number="V-2041", kontingent_minutes=25, invoiced_minutes=35)

    assert "25 min Kontingent V-2041, 35 min Rechnung" in pdf.flat(render_report(samples.report(entries=(entry,))))


def test_late_entries_carry_their_work_date_and_say_so() -> None:
    entry = samples.entry(1, work_date=dt.date(2026, 8, 31), started_at=None)
    found = pdf.flat(render_report(samples.report(entries=(entry,))))

    assert "Mo 31.08.2026, geleistet 50 min · Aylin Öztürk · Fernwartung · Nachtrag zum August 2026" in found


@pytest.mark.promise("S96", "S104")
def test_prices_and_travel_name_the_agreement_they_come_from(report_pdf: bytes) -> None:
    found = pdf.flat(report_pdf)

    assert "Preise nach der Kooperationsvereinbarung, Fassung 2 vom 14.03.2025" in found
    assert "95,00 € je Stunde, 50 % Zuschlag außerhalb der Servicezeit, 45,00 € je Anfahrt" in found
    assert "Arbeitszeit, 12,25 Std. × 95,00 € 1.163,75 €" in found
    assert "Anfahrten, 2 × 45,00 € 90,00 €" in found


def test_a_site_with_its_own_travel_price_is_not_told_another() -> None:
    groups = (samples.group(Kind.TRIP, "1", samples.Unit.TRIP, "60", "60"),)
    found = pdf.flat(render_report(samples.report(1, groups=groups)))

    assert "60,00 € je Anfahrt (Preis Ihrer Niederlassung)" in found
    assert "45,00 €" not in found


def test_a_group_at_an_older_price_names_its_version() -> None:
    older = replace(samples.AGREEMENT, version=1)
    groups = (replace(samples.GROUPS[0], agreement=older), samples.GROUPS[1])

    assert "Arbeitszeit (Vereinbarung Fassung 1)" in pdf.flat(render_report(samples.report(groups=groups)))


@pytest.mark.promise("S76")
def test_earlier_matters_on_the_same_topic_are_named(report_pdf: bytes) -> None:
    assert (
        "Drucker im Versand: Tickets T-2026-000731, T-2026-000802; Servicebericht SB-2026-000355 vom 02.09.2026 mit Rechnung "
        "RE-2026-000260" in pdf.flat(report_pdf)
    )


@pytest.mark.promise("S173")
def test_every_page_names_who_answers_questions(report_pdf: bytes, issued: dict[str, Issued]) -> None:
    for document in (report_pdf, *(each.paper for each in issued.values())):
        for page in pdf.pages(document):
            shown = " ".join(page.split())
            assert "Jana Krüger, Ihre Kundenbetreuerin · +49 2421 55010-23 · jana.krueger@turmblick.example" in shown


@pytest.mark.promise("S154")
def test_work_under_other_contracts_is_only_hinted_at(report_pdf: bytes) -> None:
    assert "2 Einträge sind durch Mietvertrag V-3310 gedeckt und hier nicht aufgeführt" in pdf.flat(report_pdf)


@pytest.mark.promise("S112", "S113")
def test_kontingent_statement_adds_up_in_words_and_shows_its_year() -> None:
    found = pdf.flat(render_report(samples.report(2)))

    assert "Übertrag 1:30 Std. + Gutschrift 10:00 Std. − Verbrauch 10:00 Std. = Stand am Monatsende 1:30 Std." in found
    assert "Der Rest von 1:30 Std. bleibt Ihnen ohne Verfall erhalten." in found
    assert "11/2025" in found
    assert "10/2026" in found


@pytest.mark.promise("S169")
def test_an_overbooked_kontingent_only_announces_what_may_be_charged() -> None:
    over = samples.statement(carried=-100, used=910, balance=-410, correction_proposed=410, history=())
    found = pdf.flat(render_report(samples.report(1, kontingent=(over,))))

    assert "= Stand am Monatsende −6:50 Std." in found
    assert "Das Kontingent ist um 6:50 Std. überbucht." in found
    assert "berechnet wird erst, was danach freigegeben ist" in found


@pytest.mark.parametrize("count", [0, 1, 400])
def test_any_number_of_entries(count: int) -> None:
    found = pdf.pages(render_report(samples.report(count)))
    tickets = [f"T-2026-{1000 + i:06d}" for i in range(count)]
    everything = "\n".join(found)

    assert all(ticket in everything for ticket in tickets)
    assert f"Seite {len(found)} von {len(found)}" in found[-1]


def test_a_month_without_work_says_so() -> None:
    empty: ReportContent = samples.report(0, groups=(), totals=None, kontingent=(), excluded=(), related=())

    assert "in diesem Monat sind keine Leistungen angefallen" in pdf.flat(render_report(empty))


def test_hostile_text_is_shown_and_does_nothing() -> None:
    found = pdf.text(render_report(hostile.hostile_report()))

    assert '<script>alert(1)</script><img src="file:///etc/passwd"/>' in " ".join(found.split())
    assert "{{ 7*7 }} {% raw %} ]]> <!-- -->" in " ".join(found.split())
    assert "\u202e" not in found
    assert "root:" not in found
    assert found.count("Unteilbar") + found.count("Unteil\n") > 900  # nothing of a very long text is lost
    assert found.count("Teilbarer") == 625


@pytest.mark.parametrize("count", [2, 7, 12, 30])
def test_each_month_stands_below_its_bars(count: int) -> None:
    """Every name of a month is centred below the middle of its pair of bars, the last month always named."""
    import pypdfium2

    from integrations.documents.graphics import UNIT

    statement = samples.statement(history=samples.history(count))
    document = pypdfium2.PdfDocument(render_report(samples.report(1, groups=(), totals=None, kontingent=(statement,))))
    found = []
    for page in document:
        text = page.get_textpage()
        said = text.get_text_range()
        for match in re.finditer(r"\b\d\d/20\d\d\b", said):
            left, right = text.get_charbox(match.start())[0], text.get_charbox(match.end() - 1)[2]
            found.append(((left + right) / 2 / 72 * 25.4 - 18, match.group()))
    step, every = 466 / count, -(-count // 12)
    named = [i for i in range(count) if (count - 1 - i) % every == 0]

    assert [name for _at, name in found] == [f"{statement.history[i].month:%m/%Y}" for i in named]
    assert [at for at, _name in found] == pytest.approx([(34 + (i + 0.5) * step) * UNIT for i in named], abs=0.4)
