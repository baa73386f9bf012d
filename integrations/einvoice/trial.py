"""The check of what an invoice would say, before it may have a number; a renderer's process does it without the database."""

from collections.abc import Sequence

from integrations.documents.contents import Face, InvoiceContent
from integrations.einvoice.build import Profile, build_cii
from integrations.einvoice.checks import CheckRecord, check


def profile_of(face: Face) -> Profile:
    """Public customers get XRechnung, all others EN 16931."""
    return Profile.XRECHNUNG if face is Face.XRECHNUNG else Profile.EN16931


def check_content(content: InvoiceContent) -> CheckRecord:
    """Check one invoice, usually under a trial number."""
    return check(build_cii(content, profile_of(content.face)))


def check_contents(contents: Sequence[InvoiceContent]) -> list[CheckRecord]:
    """The same for several, in their order."""
    return [check_content(content) for content in contents]
