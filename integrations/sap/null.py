"""An invoice book in memory, for everyone who tests something else."""

from typing import Self

from integrations.sap.payload import checked
from integrations.sap.port import Posting, SapInvoice


class NullBook:
    """`posted[key]` is what was handed over; a second post finds it."""

    def __init__(self) -> None:
        self.posted: dict[str, SapInvoice] = {}

    def post(self, invoice: SapInvoice) -> Posting:
        found = self.find(invoice)
        self.posted.setdefault(checked(invoice).key, invoice)
        return found or Posting(invoice.key, invoice.number, str(len(self.posted)), len(self.posted), found=False)

    def find(self, invoice: SapInvoice) -> Posting | None:
        if invoice.key not in self.posted:
            return None
        entry = list(self.posted).index(invoice.key) + 1
        return Posting(invoice.key, invoice.number, str(entry), entry, found=True)

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
