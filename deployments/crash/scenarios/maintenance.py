"""Agreed checks become tickets, and last month's proofs are issued."""

from deployments.crash.scenario import Scenario, Start

SCENARIO = Scenario("Wartung", (Start("maintenance_round"), Start("maintenance_proofs")))
