"""The month: released, reported, invoiced, handed over, and its documents sealed."""

from deployments.crash.scenario import Scenario, Start

SCENARIO = Scenario(
    "Monatsabrechnung",
    (
        Start("billing_release", {"month": "{month}", "snapshot": "{snapshot}", "released_by": "Kim Kunde"}),
        Start("monthly_billing", {"month": "{month}"}),
        Start("archive_check"),
    ),
)
