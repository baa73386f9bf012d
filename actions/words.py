"""German words for values that both the portal and the command line show to people."""

from models.parties import StaffRole

ROLES: dict[str, str] = {
    StaffRole.TECHNICIAN: "Technik",
    StaffRole.DISPATCHER: "Disposition",
    StaffRole.ACCOUNT_MANAGER: "Kundenbetreuung",
    StaffRole.BACK_OFFICE: "Innendienst",
    StaffRole.MATERIALS: "Materialwirtschaft",
    StaffRole.MONITORING: "Monitoring",
    StaffRole.SERVICE_HEAD: "Serviceleitung",
    StaffRole.OPERATOR: "Betrieb",
}
"""Who can solve something, by role."""

RUN_STATES = {
    "open": "noch nicht freigegeben",
    "released": "freigegeben",
    "running": "läuft",
    "waiting": "wartet",
    "done": "abgeschlossen",
}
"""Where a billing run stands."""

RUN_TROUBLES = {"late": "beginnt nicht", "crashed": "abgestürzt", "failed": "gescheitert"}
"""What was told of a flow run."""

REPORT_STATES = {
    "planned": "wartet",
    "issued": "ausgestellt",
    "queued": "im Postausgang",
    "in_flight": "unterwegs",
    "accepted": "angenommen",
    "bounced": "nicht zustellbar",
    "unclear": "unklar",
}
"""Where a service report stands on its way to the customer."""

INVOICE_KINDS = {
    "service": "Dienstleistung",
    "kontingent": "Kontingent",
    "correction": "Überbuchung",
    "recurring": "wiederkehrend",
    "cancellation": "Storno",
}
INVOICE_STATES = {"issued": "ausgestellt", "sent": "versendet", "cancelled": "storniert"}


def role(value: str | None) -> str:
    """The German word of a role that a row names as plain text; an unknown one as it is."""
    return ROLES.get(value or "", value or "–")
