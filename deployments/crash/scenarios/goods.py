"""Deliveries become tickets, assets and papers; one of them cannot be read and is parked."""

from deployments.crash.scenario import Scenario, Start

SCENARIO = Scenario("Wareneingang", (Start("goods_receipt"),))
