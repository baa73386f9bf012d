"""Ends that are near are told once; rented devices are exchanged."""

from deployments.crash.scenario import Scenario, Start

SCENARIO = Scenario("Enden im Blick", (Start("expiry_watch"),))
