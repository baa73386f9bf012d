"""Random recurrence rules as plain text, kept to what RFC 5545 allows."""

import datetime as dt

from hypothesis import strategies as st

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2040, 12, 31)
days = st.dates(FIRST, LAST)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _listed(values: st.SearchStrategy[int], name: str, most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda v: f"{name}={','.join(map(str, v))}")


_by_day = st.lists(st.sampled_from(_WEEKDAYS), min_size=1, max_size=5, unique=True).map(lambda v: f"BYDAY={','.join(v)}")
_nth_day = st.builds(lambda n, d: f"BYDAY={n}{d}", st.sampled_from([1, 2, 3, 4, 5, -1, -2]), st.sampled_from(_WEEKDAYS))
_month_days = _listed(st.sampled_from([1, 10, 15, 28, 29, 30, 31, -1, -2, -31]), "BYMONTHDAY")
_months = _listed(st.integers(1, 12), "BYMONTH", 4)
_end = st.one_of(
    st.just(""),
    st.just(""),
    st.integers(1, 60).map(lambda n: f"COUNT={n}"),
    days.map(lambda d: f"UNTIL={d:%Y%m%d}"),
)
_bodies = st.one_of(
    st.tuples(st.just("FREQ=DAILY"), st.one_of(st.just(""), _by_day)),
    st.tuples(st.just("FREQ=WEEKLY"), st.one_of(st.just(""), _by_day)),
    st.tuples(st.just("FREQ=MONTHLY"), st.one_of(st.just(""), _month_days, _nth_day, _by_day), st.one_of(st.just(""), _months)),
    st.tuples(st.just("FREQ=MONTHLY"), st.just("BYDAY=MO,TU,WE,TH,FR"), st.sampled_from(["BYSETPOS=1", "BYSETPOS=-1"])),
    st.tuples(st.just("FREQ=MONTHLY"), st.just("BYMONTHDAY=28,29,30,31"), st.just("BYSETPOS=-1")),
    st.tuples(st.just("FREQ=YEARLY"), st.one_of(st.just(""), _months), st.one_of(st.just(""), _nth_day, _month_days)),
    st.tuples(
        st.just("FREQ=YEARLY"), _listed(st.sampled_from([1, 20, 52, 53, -1]), "BYWEEKNO"), st.one_of(st.just(""), _by_day)
    ),
    st.tuples(st.just("FREQ=YEARLY"), _listed(st.sampled_from([1, 60, 100, 366, -1]), "BYYEARDAY")),
)
_frames = st.tuples(_bodies, st.integers(1, 4), st.sampled_from(["", "", "WKST=SU"]), _end)


def _text(frame: tuple[tuple[str, ...], int, str, str]) -> str:
    body, interval, week_start, end = frame
    parts = [*body, f"INTERVAL={interval}" if interval > 1 else "", week_start, end]
    return ";".join(part for part in parts if part)


def _possible(text: str) -> bool:
    """30 February is refused at reading; that has tests of its own."""
    if "BYMONTHDAY" not in text or "BYMONTH=" not in text:
        return True
    fields = dict(part.split("=") for part in text.split(";"))
    month_days = [abs(int(v)) for v in fields["BYMONTHDAY"].split(",")]
    longest = max({2: 29, 4: 30, 6: 30, 9: 30, 11: 30}.get(int(m), 31) for m in fields["BYMONTH"].split(","))
    return min(month_days) <= longest


rules = _frames.map(_text).filter(_possible)
