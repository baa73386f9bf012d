"""Steps of the monthly billing. Each opens its transaction, looks where the rows stand, and calls one action."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextvars import copy_context
from decimal import Decimal

from sqlalchemy.orm import Session

from actions import sap
from actions.billing import (
    decisions,
    handover,
    invoice_mails,
    invoices,
    preview,
    release,
    reports,
    sap_numbers,
    visit,
)
from actions.billing.visit import Standing
from actions.customers import fit
from actions.portal_address import portal_address
from integrations.datev.batch import write_batches
from integrations.sap.port import SapInvoice, SapLoginError, SapRefusedError, SapTotalsError, SapUnavailableError
from kit import clock
from kit.database import one_connection, unit_of_work
from kit.errors import ConflictError
from kit.steps import Outcome, Progress, run_date, show_table, show_text, step
from models.handover import SapDocument
from rules.differences import german
from rules.money import ZERO
from rules.month import Month
from tasks import mail_dispatch, rendering

log = logging.getLogger(__name__)

ACTOR = "flow:monthly_billing"
BATCH = 20
"""Documents per step: some seconds of work, a small transaction."""
ROWS_SHOWN = 500


@step(name="Monate bestimmen")
def months_to_visit(month: str) -> list[str]:
    """The month that was asked for; else last month and every released month that is not done."""
    if month:
        return [str(preview.parse_month(month))]
    with unit_of_work(ACTOR) as session:
        months = visit.open_months(session)
    return sorted({*months, str(Month.of(run_date()).plus(-1))})


@step(name="Besuch beginnen")
def begin_visit(month: str) -> int | None:
    """The run's id; None while nobody has released the month."""
    with unit_of_work(ACTOR) as session:
        run_id = visit.begin(session, preview.parse_month(month))
        if run_id is not None:
            invoices.clear_faults(session, run_id)
            if reports.reports_open(session, run_id):
                rendering.get_ready()
        return run_id


@step(name="Vorschau rechnen", run_name="Vorschau {month}")
def show_preview(month: str) -> Outcome:
    """Compute the month and show it with its blockers; nothing is kept but the fingerprint for the release."""
    parsed = preview.parse_month(month)
    progress: list[Progress] = []

    def tell(done: int, total: int) -> None:
        if not progress:
            progress.append(Progress(f"Vorschau {month}", total))
        if done % 100 == 0 or done == total:
            progress[0].advance(done - progress[0].done)

    with unit_of_work(ACTOR) as session:
        try:
            seen = preview.build(session, parsed, tell)
        except ConflictError:
            return Outcome(f"Rechnungslauf {month} wurde inzwischen freigegeben.")
        preview.remember(session, seen, clock.now())
    rows = decisions.of_preview(seen)
    link = f"{portal_address()}/abrechnung/{month}/vorschau"
    show_table(f"vorschau-{month}", rows[:ROWS_SHOWN], f"Vorschau {month}, Prüfsumme `{seen.snapshot}`. [Im Portal]({link})")
    blocked = tuple(decisions.told(preview.who_is(i.keys.number, i.payer.site), b) for i, b in seen.blocked)
    release = f"Freigabe ausstehend: drehkreuz billing release {month} --snapshot {seen.snapshot}"
    total = sum((item.payer.net for item in seen.items), start=ZERO)
    return Outcome(f"Vorschau {month}: {len(seen.items)} Abrechnungen, {german(total)} € netto.", (release, *blocked))


def _drain(what: str, one_batch: Callable[[], int], left: Callable[[], bool] = lambda: False) -> int:
    """Batch after batch until none is left, neither here nor in the hands of another visit of the month.

    Two batches are in hand at once, each in a thread and a transaction of its own: the renderers never wait for the database.
    """
    total = 0
    progress: Progress | None = None
    for count in _batches(one_batch, left):
        total += count
        if progress is None:
            progress = Progress(what, 0)
        progress.total = max(progress.total, total)
        progress.advance(count)
    if total:
        log.info("%s: %d in diesem Besuch erstellt", what, total)
    return total


def _batches(one_batch: Callable[[], int], left: Callable[[], bool]) -> Iterator[int]:
    """The size of each batch as it ends. A fault ends the step when the batch beside it is done."""
    lanes = 1 if one_connection() else rendering.lanes()
    if lanes == 1:
        while (count := one_batch()) or left():
            yield count
        return
    with ThreadPoolExecutor(lanes, thread_name_prefix="batch") as threads:
        while True:
            running = {threads.submit(copy_context().run, one_batch) for _ in range(lanes)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                counts = [future.result() for future in done]
                running |= {threads.submit(copy_context().run, one_batch) for count in counts if count}
                yield from (count for count in counts if count)
            if not left():
                return


@step(name="Serviceberichte nummerieren")
def number_reports(run_id: int) -> int:
    """Numbers for all reports that somebody can receive. A second call finds none."""
    total, after = 0, 0
    while True:
        with unit_of_work(ACTOR) as session:
            count, after = reports.number_reports(session, run_id, after=after)
        total += count
        if not after:
            return total


@step(name="Serviceberichte erstellen")
def issue_reports(run_id: int) -> int:
    """Render, archive, queue and hand over, a batch per transaction. A second call goes on where the first one stopped; calls
    at the same time share the work and end together.
    """
    post = mail_dispatch.Postman()

    def one_batch() -> int:
        with unit_of_work(ACTOR) as session:
            count = reports.issue_reports(session, run_id, rendering.render_reports, BATCH)
        post.deliver()
        return count

    def left() -> bool:
        with unit_of_work(ACTOR) as session:
            return reports.reports_left(session, run_id)

    def again() -> int:
        with unit_of_work(ACTOR) as session:
            return reports.resend_bounced(session, run_id, BATCH)

    return _drain("Serviceberichte", one_batch, left) + _drain("Erneut gesendete Berichte", again)


@step(name="Rechnungen prüfen und nummerieren")
def number_invoices(run_id: int) -> int:
    """Numbers for invoices whose report was accepted and whose grace time passed, if the e-invoice rules hold."""
    if sap_numbers.wanted():
        return _numbers_from_sap(run_id)
    total = 0
    while True:
        with unit_of_work(ACTOR) as session:
            count, looked = invoices.number_invoices(session, run_id, check_all=rendering.check_invoices)
        total += count
        if not looked:
            with unit_of_work(ACTOR) as session:
                if not invoices.due_left(session, run_id):
                    return total


@step(name="Rechnungen erstellen")
def issue_invoices(run_id: int) -> int:
    """Render, archive, queue and hand over, a batch per transaction. A second call goes on where the first one stopped; calls
    at the same time share the work and end together.
    """
    post = mail_dispatch.Postman()

    def one_batch() -> int:
        with unit_of_work(ACTOR) as session:
            count = invoices.issue_invoices(
                session, run_id, rendering.render_invoices, BATCH, check_one=rendering.check_invoice
            )
        post.deliver()
        return count

    def left() -> bool:
        with unit_of_work(ACTOR) as session:
            return invoices.invoices_left(session, run_id)

    def missing() -> int:
        with unit_of_work(ACTOR) as session:
            return invoice_mails.queue_missing_mails(session, run_id, BATCH)

    return _drain("Rechnungen", one_batch, left) + _drain("Rechnungsmails", missing)


@step(name="Rückläufer lesen")
def read_bounces() -> int:
    """Understand what came back before any invoice follows its report (U9). A second call meets none."""
    return mail_dispatch.read_bounces()


@step(name="Post versenden", retries=0)
def send_mail() -> str:
    """Hand over what waits, also what pauses after a fault; returns why the mail server stopped us, else nothing."""
    done = mail_dispatch.send_queued(force=True)
    mail_dispatch.archive_sent()
    return done.stopped


def _numbers_from_sap(run_id: int) -> int:
    """Announce what is due, then make it in SAP, whose numbers come back."""
    looked = 1
    while looked:
        with unit_of_work(ACTOR) as session:
            _, looked = sap_numbers.announce(session, run_id, check_all=rendering.check_invoices)

    def batch(session: Session, after: int) -> list[SapDocument]:
        return sap_numbers.waiting(session, run_id, after=after, limit=BATCH)

    return _post(batch, sap_numbers.told, sap_numbers.numbered)


@step(name="An SAP übergeben", retries=0)
def hand_over_to_sap(run_id: int) -> int:
    """Post each issued invoice once: look first, then post. SAP away: the rest waits for the next visit."""

    def batch(session: Session, after: int) -> list[SapDocument]:
        return handover.sap_waiting(session, run_id, after=after, limit=BATCH)

    return _post(batch, handover.sap_invoices, handover.sap_posted)


def _post(
    batch: Callable[[Session, int], list[SapDocument]],
    tell: Callable[[Session, list[SapDocument]], dict[int, SapInvoice]],
    done: Callable[[Session, list[handover.Posted]], int],
) -> int:
    """Batch after batch to SAP; its refusal holds up that document alone, its silence ends this visit's hand-over."""
    count, after, answers = 0, 0, True
    with sap.book() as book:
        while answers:
            with unit_of_work(ACTOR) as session:
                waiting = batch(session, after)
                if not waiting:
                    return count
                told = tell(session, waiting)
                posted: list[handover.Posted] = []
                for document in waiting:
                    after = document.id
                    try:
                        posted.append((document, told[document.id], book.post(told[document.id])))
                    except (SapRefusedError, SapTotalsError) as refusal:
                        handover.sap_failed(document, str(refusal), final=True)
                    except (SapUnavailableError, SapLoginError) as fault:
                        handover.sap_failed(document, str(fault), final=False)
                        answers = False
                        break
                count += done(session, posted)
    return count


@step(name="DATEV-Stapel schreiben")
def write_datev_batch(run_id: int, month: str) -> str:
    """One file with all issued invoices that stand in none yet; nothing when there are none."""
    with unit_of_work(ACTOR) as session:
        waiting = handover.datev_waiting(session, run_id)
        if not waiting:
            return ""
        files = write_batches(
            handover.datev_invoices(session, waiting),
            handover.datev_client(),
            name=f"Rechnungen {month} {handover.next_datev_sequence(session, run_id)}",
            created_at=clock.now(),
        )
        return ", ".join(handover.datev_filed(session, run_id, waiting, files))


@step(name="Postmappe zusammenstellen")
def fill_postal_batches(run_id: int) -> list[str]:
    """Print list and letters of all printed faces that lie in no batch yet, as PDFs of some hundred letters each."""
    names: list[str] = []
    while True:
        with unit_of_work(ACTOR) as session:
            letters = handover.letters_waiting(session, run_id)
            if not letters:
                return names
            content, pages = handover.postal_list(session, run_id, letters)
            names.append(handover.letters_filed(session, run_id, letters, rendering.postal_batch(content, pages)))


@step(name="Besuch abschließen")
def close_visit(run_id: int) -> Standing:
    """Mark what was sent, name what blocks whom, close the run when everything is done."""
    with unit_of_work(ACTOR) as session:
        invoice_mails.mark_sent(session, run_id)
        return visit.finish(session, run_id)


@step(name="Kontingente beurteilen")
def watch_contracts(month: str) -> int:
    """Tell the account managers which Kontingente no longer fit (S171, S172). A second call in the quarter asks nothing."""
    with unit_of_work(ACTOR) as session:
        return fit.tell(session, preview.parse_month(month))


@step(name="Ergebnis zeigen")
def show_standing(standing: Standing, mail_stopped: str) -> Outcome:
    """The table of decisions and one sentence for the operator."""
    month = standing.month
    with unit_of_work(ACTOR) as session:
        told, rows = decisions.of_run(session, preview.parse_month(month))
    page = f"{portal_address()}/abrechnung/{month}"
    show_table(f"abrechnung-{month}", rows[:ROWS_SHOWN], f"Rechnungslauf {month}: wer was warum bekommt. [Im Portal]({page})")
    totals = told["totals"]
    sentence = (
        f"Rechnungslauf {month}: {totals['reports']} Serviceberichte, {totals['invoices']} Rechnungen, "
        f"{german(Decimal(totals['net']))} € netto; {standing.done} von {standing.items} Abrechnungen fertig."
    )
    items = [decisions.told(who, blocked) for who, blocked in standing.blocked]
    if mail_stopped:
        items.append(mail_stopped)
    told_page = _page(sentence, page, decisions.open_points(standing.blocked), mail_stopped)
    show_text(f"abrechnung-{month}-summe", told_page, f"Rechnungslauf {month}: wo er steht und was jemanden braucht.")
    return Outcome(sentence, tuple(items))


def _page(sentence: str, page: str, points: list[str], mail_stopped: str) -> str:
    """The run in a few lines for the operator: where it stands, what waits for whom, and where to go on."""
    lines = [f"### {sentence}", "", f"[Stand]({page}) · [Dokumente]({page}/dokumente) · [Übergabe]({page}/uebergabe)", ""]
    if mail_stopped:
        lines += [f"**Mailserver:** {mail_stopped}", ""]
    if points:
        lines += ["**Das braucht jemanden:**", "", *(f"- {point}" for point in points)]
    else:
        lines.append("Nichts steht still.")
    return "\n".join(lines)


@step(name="Zusammenfassen")
def summarise(outcomes: list[Outcome]) -> Outcome:
    """One answer for all months of this start."""
    return Outcome(
        " ".join(outcome.summary for outcome in outcomes), tuple(item for outcome in outcomes for item in outcome.open_items)
    )


@step(name="Monat freigeben", retries=0)
def release_month(month: str, snapshot: str, released_by: str) -> Outcome:
    """Release exactly that preview. A second call with the same snapshot changes nothing."""
    with unit_of_work(released_by) as session:
        done = release.release(session, preview.parse_month(month), snapshot.strip(), released_by)
    word = "freigegeben" if done.new else "war schon freigegeben"
    return Outcome(f"Rechnungslauf {month} {word}; der nächste Besuch beginnt.", tuple(b.why for b in done.blocked))
