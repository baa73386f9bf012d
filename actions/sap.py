"""Which invoice book the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager

from integrations.sap.files import FilesBook, sap_json
from integrations.sap.port import InvoiceBook, SapInvoice
from integrations.sap.service_layer import ServiceLayer, ServiceLayerBook
from kit.settings import exchange, settings


@contextmanager
def book() -> Iterator[InvoiceBook]:
    """The book for the time of a hand-over: files in the home, or SAP Business One."""
    chosen = settings()
    if chosen.sap == "files":
        with FilesBook(exchange() / "sap") as files:
            yield files
        return
    target = ServiceLayer(
        url=chosen.sap_url,
        company=chosen.sap_company,
        user=chosen.sap_user,
        password=chosen.sap_password.get_secret_value(),
    )
    with ServiceLayerBook(target) as service_layer:
        yield service_layer


def as_json(invoice: SapInvoice) -> bytes:
    """What was handed over, for the archive."""
    return sap_json(invoice)
