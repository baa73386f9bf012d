"""Writing pain.008.001.08: the direct debit file that a bank takes.

Every id is derived from the run and its debits, so that a second writing is the same file and a bank can recognise it.
The shape is proven against the official schema; what a schema cannot know (check digits, bank days, characters) is checked
here, before a file exists.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from lxml import etree

from integrations.sepa.checks import check_creditor, check_debits, compact
from integrations.sepa.text import sepa_text
from integrations.sepa.types import Amendment, Creditor, Debit, Scheme, SepaError, SepaFile, SequenceType
from kit.clock import local

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"
# lxml writes the default namespace for the prefix None, which its type stubs do not know
_NAMESPACES: Any = {None: NAMESPACE}


def write_direct_debits(run_key: str, created_at: dt.datetime, creditor: Creditor, debits: Iterable[Debit]) -> SepaFile:
    """The file for these debits, grouped by scheme, sequence and day. Raises: SepaError for the first that no bank takes."""
    ordered = sorted(debits, key=lambda d: (d.mandate.scheme, d.sequence, d.collect_on, d.reference))
    if not ordered:
        raise SepaError("Lastschriftdatei ohne Lastschriften; es ist nichts einzuziehen.")
    check_creditor(creditor)
    check_debits(ordered, local(created_at).date())
    message_id = _message_id(run_key)
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap=_NAMESPACES)
    initiation = _add(root, "CstmrDrctDbtInitn")
    total = sum((d.amount for d in ordered), Decimal(0))
    head = _add(initiation, "GrpHdr")
    _add(head, "MsgId", message_id)
    _add(head, "CreDtTm", f"{created_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}")
    _counts(head, ordered)
    _add(_add(head, "InitgPty"), "Nm", sepa_text(creditor.name, 70))
    blocks = groupby(ordered, key=lambda d: (d.mandate.scheme, d.sequence, d.collect_on))
    for number, ((scheme, sequence, day), members) in enumerate(blocks, start=1):
        block = _add(initiation, "PmtInf")
        _add(block, "PmtInfId", f"{message_id}-{number}")
        _block(block, creditor, list(members), (scheme, sequence, day))
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return SepaFile(f"Lastschrift_{message_id}.xml", content, message_id, len(ordered), total)


def _block(
    block: etree._Element, creditor: Creditor, members: Sequence[Debit], kind: tuple[Scheme, SequenceType, dt.date]
) -> None:
    scheme, sequence, day = kind
    _add(block, "PmtMtd", "DD")
    _add(block, "BtchBookg", "true")
    _counts(block, members)
    terms = _add(block, "PmtTpInf")
    _add(_add(terms, "SvcLvl"), "Cd", "SEPA")
    _add(_add(terms, "LclInstrm"), "Cd", scheme)
    _add(terms, "SeqTp", sequence)
    _add(block, "ReqdColltnDt", day.isoformat())
    _add(_add(block, "Cdtr"), "Nm", sepa_text(creditor.name, 70))
    _account(_add(block, "CdtrAcct"), creditor.iban)
    _agent(_add(block, "CdtrAgt"), creditor.bic)
    _add(block, "ChrgBr", "SLEV")
    _scheme_id(_add(block, "CdtrSchmeId"), creditor.creditor_id)
    for debit in members:
        _transaction(_add(block, "DrctDbtTxInf"), debit)


def _transaction(parent: etree._Element, debit: Debit) -> None:
    mandate = debit.mandate
    _add(_add(parent, "PmtId"), "EndToEndId", debit.reference)
    _add(parent, "InstdAmt", f"{debit.amount:.2f}").set("Ccy", "EUR")
    terms = _add(_add(parent, "DrctDbtTx"), "MndtRltdInf")
    _add(terms, "MndtId", mandate.reference)
    _add(terms, "DtOfSgntr", mandate.signed_on.isoformat())
    if mandate.amendment is not None:
        _add(terms, "AmdmntInd", "true")
        _amended(_add(terms, "AmdmntInfDtls"), mandate.amendment)
    _agent(_add(parent, "DbtrAgt"), mandate.bic)
    _add(_add(parent, "Dbtr"), "Nm", sepa_text(mandate.debtor_name, 70))
    _account(_add(parent, "DbtrAcct"), mandate.iban)
    _add(_add(parent, "RmtInf"), "Ustrd", sepa_text(debit.text, 140))


def _amended(parent: etree._Element, amendment: Amendment) -> None:
    if amendment.former_reference:
        _add(parent, "OrgnlMndtId", amendment.former_reference)
    if amendment.former_creditor_id or amendment.former_creditor_name:
        former = _add(parent, "OrgnlCdtrSchmeId")
        if amendment.former_creditor_name:
            _add(former, "Nm", sepa_text(amendment.former_creditor_name, 70))
        if amendment.former_creditor_id:
            _scheme_id(former, amendment.former_creditor_id)
    if amendment.account_changed:  # same mandate, new debtor account
        _add(_add(_add(_add(parent, "OrgnlDbtrAcct"), "Id"), "Othr"), "Id", "SMNDA")


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child


def _counts(parent: etree._Element, members: Sequence[Debit]) -> None:
    _add(parent, "NbOfTxs", str(len(members)))
    _add(parent, "CtrlSum", f"{sum((d.amount for d in members), Decimal(0)):.2f}")


def _account(parent: etree._Element, iban: str) -> None:
    _add(_add(parent, "Id"), "IBAN", compact(iban))


def _agent(parent: etree._Element, bic: str) -> None:
    bank = _add(parent, "FinInstnId")
    if bic:
        _add(bank, "BICFI", compact(bic))
    else:
        _add(_add(bank, "Othr"), "Id", "NOTPROVIDED")


def _scheme_id(parent: etree._Element, creditor_id: str) -> None:
    other = _add(_add(_add(parent, "Id"), "PrvtId"), "Othr")
    _add(other, "Id", compact(creditor_id))
    _add(_add(other, "SchmeNm"), "Prtry", "SEPA")


def _message_id(run_key: str) -> str:
    """Readable where the key allows it; with the number of a block at most 35 characters."""
    readable = f"DK-{run_key}"
    if run_key and len(readable) <= 28 and re.fullmatch(r"[A-Za-z0-9.-]+", readable):
        return readable
    return f"DK-{hashlib.sha256(run_key.encode()).hexdigest()[:24].upper()}"
