"""kill -9 of the flow's process, again and again, at boundaries of every kind: the month ends as if nothing had happened."""

import pytest

from deployments.crash import billing


@pytest.mark.promise("S27", "S163")
@pytest.mark.slow
def test_a_month_that_is_killed_a_dozen_times_ends_right() -> None:
    result = billing.run(kills=12, seed=7, tell=lambda _line: None)
    assert result.faults == []
    assert sum(result.kills.values()) >= 9
    assert len(result.kills) >= 6, f"boundaries of every kind: {result.kills}"
