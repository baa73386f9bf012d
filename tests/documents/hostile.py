"""What people who mean harm, or only paste, put into the texts of a report."""

from dataclasses import replace

from integrations.documents.contents import RelatedTopic, ReportContent
from tests.documents.samples import CONTACT, CUSTOMER, entry, report

HOSTILE = (
    '<script>alert(1)</script><img src="file:///etc/passwd"/> & "Zitat" \x00\x07\x1b[31m \u202eevil\u202c \u2066x\u2069 '
    "👍🏽 日本語 العربية Ω Ж ①② ﬁ e\u0301 \ud800 {{ 7*7 }} {% raw %} ]]> <!-- -->"
)
"""What a ticket may hold: markup, controls, direction marks, half characters, scripts that no font of ours has."""


def hostile_report() -> ReportContent:
    return report(
        entries=(
            entry(0, text=HOSTILE, ticket_subject=HOSTILE, technician=HOSTILE, site=HOSTILE),
            entry(1, text="Unteilbar" * 1100),
            entry(2, text="Teilbarer Text. " * 625),
            entry(5, reason=HOSTILE),
        ),
        hints=(HOSTILE,),
        customer=replace(CUSTOMER, name=HOSTILE),
        payer=replace(CUSTOMER, name=HOSTILE),
        contact=replace(CONTACT, name=HOSTILE),
        related=(RelatedTopic(topic=HOSTILE, tickets=(HOSTILE,)),),
    )
