"""What waits for a person is told in sentences that name the customer once."""

from actions.billing.decisions import open_points, told
from actions.billing.preview import Blocked, no_recipient

PRICE = Blocked("price", "K2", "Preis der Anfahrt fehlt", "back_office")


def test_an_obstacle_that_names_its_customer_is_not_told_with_it_twice() -> None:
    assert told("K1", no_recipient("K1")).startswith("K1: Es gibt keinen Empfänger")
    assert told("K2", PRICE) == "K2: Preis der Anfahrt fehlt"


def test_the_summary_is_made_of_whole_sentences() -> None:
    first, second = open_points([("K1", no_recipient("K1")), ("K2", PRICE)])
    assert first.startswith("**K1**: Es gibt keinen Empfänger")
    assert second.startswith("**K2**: Preis der Anfahrt fehlt. Lösen kann das: ")
