"""Wareneingang: from what the supplier tells to the parcel's papers. Process: docs/processes/goods_receipt.md"""

from kit.steps import Outcome, flow
from tasks import goods_receipt as goods
from tasks import restoration


@flow(name="Wareneingang", run_name="Wareneingang {receipt}", titles={"receipt": "Lieferung"})
def goods_receipt(receipt: str = "") -> Outcome:
    """Bucht, was im Wareneingangskorb liegt: Tickets zum Kommissionieren, Assets und Lizenzen, dann die Papiere.

    Jeder Start leert den ganzen Korb und ändert nichts, was schon getan ist.

    Args:
        receipt: Lieferung als Lieferant/Lieferscheinnummer, wenn ein Ereignis sie meldet. Leer: alles, was wartet.
    """
    done = goods.Done()
    goods.note_delivery(receipt)
    goods.collect_folder()
    if stopped := restoration.held():
        return stopped
    goods.book_waiting(done)
    goods.record_assets(done)
    goods.settle()
    while goods.render_papers(done):
        if goods.waiting():
            goods.book_waiting(done)
            goods.record_assets(done)
            goods.settle()
    return goods.tell(done)
