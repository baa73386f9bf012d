"""The outbox: letters that wait are sent, once each."""

from deployments.crash.scenario import Scenario, Start

SCENARIO = Scenario("Postausgang", (Start("mail_dispatch"),))
