"""What the demo relies on: each special case of the example company exists, one assertion each."""

import datetime as dt
import itertools
from collections import Counter, defaultdict

from tests.examples.company import (
    agreement,
    by,
    closings,
    contracts,
    covered,
    entries,
    grants,
    kind,
    read,
    ticket,
    used,
)

OCTOBER = "2026-10"


def customer(number: str) -> dict[str, str]:
    return by("customers", "number")[number]


def kontingent(number: str) -> dict[str, str]:
    return contracts(number)[0]


def functions(number: str) -> set[str]:
    return {f for c in read("contacts") if c["customer"] == number for f in c["functions"].split("|")}


# --- size and variety -------------------------------------------------------------------------------------------------------------


def test_size() -> None:
    assert len(read("customers")) >= 42
    assert len(read("service_entries")) >= 1_300
    assert 14 <= len(read("employees")) <= 18
    assert len(read("house_sites")) == 4


def test_three_months_with_much_work_in_each() -> None:
    months = Counter(e["work_date"][:7] for e in read("service_entries"))
    assert set(months) == {"2026-08", "2026-09", "2026-10"}
    assert min(months.values()) > 380


def test_every_role_is_filled() -> None:
    roles = {role for e in read("employees") for role in e["roles"].split("|")}
    assert len(roles) == 8


def test_every_kind_of_contract_and_customers_without() -> None:
    assert {c["kind"] for c in read("contracts")} == {"kontingent", "rental", "data_centre", "managed"}
    assert len({c["number"] for c in read("customers")} - {c["customer"] for c in read("contracts")}) >= 12


def test_every_kind_state_and_priority_of_tickets() -> None:
    kinds = {t["kind"] for t in read("tickets")}
    expected = "incident request maintenance pick_and_pack alert onboarding documentation replacement task"
    assert kinds == set(expected.split())
    assert {t["state"] for t in read("tickets")} == {"new", "open", "waiting", "resolved", "closed"}
    assert {t["priority"] for t in read("tickets")} == {"high", "normal", "low"}


def test_texts_are_many_and_filled() -> None:
    texts = [e["text"] for e in read("service_entries")]
    assert len(set(texts)) > 0.7 * len(texts)
    assert len({t["subject"] for t in read("tickets")}) > 0.6 * len(read("tickets"))
    assert not [t for t in texts + [t["subject"] for t in read("tickets")] if "{" in t or "  " in t or "mit Herr " in t]


def test_no_two_customers_are_alike() -> None:
    shapes = defaultdict(list)
    for row in read("customers"):
        work = tuple(sorted(Counter(e["text"] for e in entries(row["number"])).items()))
        shapes[work].append(row["number"])
    alike = [numbers for work, numbers in shapes.items() if len(numbers) > 1 and work]
    assert not alike


def test_odd_names() -> None:
    names = " ".join(c["name"] for c in read("customers"))
    assert all(sign in names for sign in "äöüÄÖßÇŚŻÑÆêéŞ&’„“+(")


# --- billing of October -----------------------------------------------------------------------------------------------------------


def test_august_and_september_were_reported_elsewhere_but_for_late_entries() -> None:
    former = [e for e in read("service_entries") if e["work_date"] < OCTOBER]
    late = [e for e in former if not e["reported_elsewhere"]]
    assert 8 <= len(late) <= 15
    assert all(e["work_date"][:7] == "2026-09" and e["approved_at"][:7] == OCTOBER for e in late)
    assert not [e for e in read("service_entries") if e["work_date"] >= OCTOBER and e["reported_elsewhere"]]


def test_unapproved_entries_are_blockers_at_several_customers() -> None:
    waiting = [e for e in read("service_entries") if not e["approved_at"]]
    assert 8 <= len(waiting) <= 12
    assert {ticket(e)["customer"] for e in waiting} == {"K1014", "K1039", "K1041", "K1043"}


def test_all_approvals_lie_before_the_first_of_november() -> None:
    assert max(e["approved_at"] for e in read("service_entries")) < "2026-11-01"
    assert all(e["approved_at"][:10] >= e["work_date"] for e in read("service_entries") if e["approved_at"])


def test_customer_without_any_recipient() -> None:
    assert not {"service_report", "main"} & functions("K1010")
    assert any(e["billable"] == "yes" for e in entries("K1010"))


def test_customer_whose_main_contact_stands_in() -> None:
    assert "main" in functions("K1011")
    assert "service_report" not in functions("K1011")


def test_customer_without_travel_price_but_with_trips() -> None:
    terms = agreement("K1007", "2026-10-31")
    assert terms is not None
    assert not terms["travel_price"]
    assert sum(int(e["trips"] or 0) for e in entries("K1007") if e["billable"] == "yes") >= 2


def test_customer_without_agreement() -> None:
    assert agreement("K1009", "2026-10-31") is None
    assert any(e["billable"] == "yes" for e in entries("K1009"))


def test_customer_with_only_non_billable_work() -> None:
    assert entries("K1008")
    assert all(e["billable"] == "no" for month in ("2026-08", "2026-09", OCTOBER) for e in entries("K1008", month))


def test_reasons_for_work_that_is_not_charged() -> None:
    reasons = {e["non_billable_reason"] for e in read("service_entries")} - {""}
    assert {"Fehlalarm", "Kulanz", "Einarbeitung", "Gewährleistung", "Interne Abstimmung"} <= reasons


def test_trip_with_remote_work() -> None:
    assert any(e["place"] == "remote" and e["trips"] == "1" for e in entries("K1044"))


def test_work_before_its_ticket() -> None:
    early = [e for e in read("service_entries") if e["started_at"] and e["started_at"] < ticket(e)["received_at"]]
    assert early
    assert {ticket(e)["customer"] for e in early} == {"K1028"}


def test_price_rise_on_the_first_of_october() -> None:
    for number in ("K1012", "K1043"):
        before, after = agreement(number, "2026-09-30"), agreement(number, "2026-10-01")
        assert before is not None
        assert after is not None
        assert float(after["hour_price"]) > float(before["hour_price"])
        assert entries(number, "2026-09")
        assert entries(number)


def test_deliveries() -> None:
    assert Counter(c["delivery"] for c in read("customers"))["post"] >= 20
    assert Counter(c["delivery"] for c in read("customers"))["email_einvoice"] >= 10
    assert any(c["delivery"] == "email_einvoice" and c["invoice_email"] for c in read("customers"))


def test_public_customer_with_leitweg_id() -> None:
    row = customer("K1005")
    coarse, fine, check = row["leitweg_id"].split("-")
    assert row["delivery"] == "xrechnung"
    assert int(coarse + fine + check) % 97 == 1
    assert any(kind(e) == "project_day" for e in entries("K1005"))


def test_mandates_of_both_kinds() -> None:
    assert {c["mandate_kind"] for c in read("customers")} == {"", "core", "b2b"}


def test_branches_billed_centrally_and_per_site() -> None:
    with_sites = {s["customer"] for s in read("sites")}
    assert {customer(n)["billing"] for n in with_sites} == {"central", "per_site"}
    assert {s["bills_to"] for s in read("sites") if s["customer"] == "K1004"} == {"", "LIN"}
    worked = {ticket(e)["site"] for e in entries("K1004")}
    assert {"LIN", "ENG"} <= worked
    assert worked & {"", "ZEN", "LAC"}


# --- when the work was done -------------------------------------------------------------------------------------------------------


def test_working_hours_and_holidays() -> None:
    for entry in read("service_entries"):
        day = dt.date.fromisoformat(entry["work_date"])
        free = day.weekday() >= 5 or day == dt.date(2026, 10, 3)
        assert free == (kind(entry) == "weekend"), entry
        if kind(entry) == "after_hours":
            assert entry["started_at"][11:] >= "17:30", entry
        elif entry["started_at"]:
            assert entry["started_at"][11:] >= "08:00", entry
            assert entry["ended_at"][11:] <= "17:00", entry


def test_surcharge_work_in_october() -> None:
    kinds = Counter(kind(e) for e in read("service_entries") if e["work_date"] >= OCTOBER)
    assert min(kinds[k] for k in ("after_hours", "weekend", "project_day")) >= 4
    assert "2026-10-03" in {e["work_date"] for e in entries("K1012") if kind(e) == "weekend"}


def test_minutes_are_the_time_between_start_and_end() -> None:
    for entry in read("service_entries"):
        if entry["started_at"]:
            spent = dt.datetime.fromisoformat(entry["ended_at"]) - dt.datetime.fromisoformat(entry["started_at"])
            assert spent == dt.timedelta(minutes=int(entry["minutes"]))
    assert any(not e["started_at"] for e in read("service_entries"))


def test_nobody_works_at_two_places_at_once() -> None:
    days = defaultdict(list)
    for entry in read("service_entries"):
        if entry["started_at"]:
            days[entry["technician"], entry["work_date"]].append((entry["started_at"], entry["ended_at"]))
    for times in days.values():
        ordered = sorted(times)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ordered))


# --- Kontingent -------------------------------------------------------------------------------------------------------------------


def test_over_booked_with_correction_below_two_months() -> None:
    contract, balance = kontingent("K1016"), closings(kontingent("K1016"))
    assert contract["overdraft_allowed"] == "yes"
    assert contract["correction_rule"] == "below_months=2"
    assert balance["2026-09"] > -2 * 12 * 60 > balance[OCTOBER]


def test_three_negative_months_in_a_row() -> None:
    assert kontingent("K1027")["correction_rule"] == "after_months=3"
    assert max(closings(kontingent("K1027")).values()) < 0


def test_negative_without_correction_in_october() -> None:
    assert kontingent("K1028")["correction_rule"] == "never"
    assert closings(kontingent("K1028"))[OCTOBER] < 0
    assert kontingent("K1032")["correction_rule"] in {"", "quarter_end"}
    assert closings(kontingent("K1032"))[OCTOBER] < 0


def test_exhausted_in_the_middle_of_an_entry() -> None:
    contract = kontingent("K1017")
    room = closings(contract)["2026-09"] + grants(contract)[OCTOBER]
    for entry in (e for e in covered(contract) if e["work_date"] >= OCTOBER):
        if used(entry, contract) > room:
            break
        room -= used(entry, contract)
    assert contract["overdraft_allowed"] == "no"
    assert 0 < room < used(entry, contract)
    assert "2026-10-10" < entry["work_date"] < "2026-10-30"


def test_project_day_that_does_not_fit() -> None:
    contract = kontingent("K1031")
    room = closings(contract)["2026-09"] + grants(contract)[OCTOBER]
    (day,) = (e for e in covered(contract) if e["work_date"] >= OCTOBER and kind(e) == "project_day")
    before = sum(used(e, contract) for e in covered(contract) if OCTOBER <= e["work_date"] < day["work_date"])
    others = sum(used(e, contract) for e in covered(contract) if e["work_date"] >= OCTOBER and kind(e) != "project_day")
    assert contract["overdraft_allowed"] == "no"
    assert 0 < room - before < 480
    assert others < room


def test_far_too_generous() -> None:
    contract = kontingent("K1018")
    assert closings(contract)[OCTOBER] > 5 * 40 * 60


def test_starting_in_the_middle_of_the_month() -> None:
    contract = kontingent("K1019")
    assert contract["starts_on"] == "2026-10-15"
    assert grants(contract)[OCTOBER] == 329
    days = {e["work_date"] < "2026-10-15" for e in entries("K1019")}
    assert days == {True, False}


def test_ending_in_october_over_booked() -> None:
    contract = kontingent("K1020")
    assert contract["ends_on"] == "2026-10-20"
    assert closings(contract)[OCTOBER] < 0


def test_ending_in_october_with_a_rest_paid_out() -> None:
    contract = kontingent("K1021")
    assert (contract["ends_on"], contract["rest_at_end"]) == ("2026-10-31", "paid_out")
    assert closings(contract)[OCTOBER] > 0


def test_rest_served_and_a_month_without_any_use() -> None:
    contract = kontingent("K1030")
    assert contract["rest_at_end"] == "served"
    assert not entries("K1030")
    assert closings(contract)[OCTOBER] > closings(contract)["2026-09"] > 0


def test_billing_units() -> None:
    units = {c["billing_unit_minutes"] for c in read("contracts") if c["kind"] == "kontingent"}
    assert units == {"", "1", "5", "15"}
    assert kontingent("K1023")["billing_unit_minutes"] == "1"
    assert any(used(e, kontingent("K1023")) % 5 for e in covered(kontingent("K1023")))


def test_travel_inside_and_outside_the_kontingent() -> None:
    for number, included in (("K1022", "yes"), ("K1024", "no")):
        assert kontingent(number)["includes_travel"] == included
        assert any(e["trips"] for e in entries(number))


def test_kontingent_of_one_site_and_two_pools_of_one_customer() -> None:
    assert kontingent("K1025")["site"] == "NUE"
    assert {ticket(e)["site"] == "NUE" for e in entries("K1025")} == {True, False}
    assert {c["site"] for c in contracts("K1026")} == {"BRU", "BON"}
    assert {ticket(e)["site"] for e in entries("K1026")} == {"BRU", "BON"}


def test_opening_of_september_with_late_entries() -> None:
    contract = kontingent("K1029")
    (opening,) = (o for o in read("kontingent_opening") if o["contract"] == contract["number"])
    assert opening["as_of"] == "2026-09-30"
    assert [e for e in covered(contract) if e["work_date"] <= "2026-09-30" and not e["reported_elsewhere"]]


def test_openings_of_july_give_the_chart_a_history() -> None:
    assert len([o for o in read("kontingent_opening") if o["as_of"] == "2026-07-31"]) >= 12
