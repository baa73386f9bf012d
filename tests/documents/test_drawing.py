"""Drawings in the address of an image: ours are read back, anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.documents.drawing import Drawing
from integrations.documents.graphics import kontingent_chart
from tests.documents import samples

NUMBER = st.floats(-999, 999, allow_nan=False)


@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=1), st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER)))
def test_a_drawing_survives_its_address(
    points: list[tuple[float, float]], bars: list[tuple[float, float, float, float]]
) -> None:
    drawing = Drawing()
    drawing.bars("#0f5868", bars)
    drawing.line("#ffffff", 1.2, points)
    drawing.dots("#4d5a60", 4.4, points)

    assert Drawing.of(drawing.url).url == drawing.url


@pytest.mark.parametrize(
    "given",
    [
        "",
        "1_0_0_rg_Do",
        "1_0_0_rg_",
        "(text)_Tj",
        "1_0_0_rg%20f",
        "q_q_q",
        "1e9_w",
        "BT_/F1_12_Tf",
        "1_w\n2_w",
        "._w",
        "1" + "_1" * 9 + "_",
    ],
)
def test_what_is_no_drawing_of_ours_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="not a drawing of ours"):
        Drawing.of("drawing:" + given)


def test_the_chart_says_in_words_what_it_shows() -> None:
    chart = kontingent_chart(samples.history(3))

    assert chart.count("gutgeschrieben") == 3
    assert Drawing.of(chart.split('src="')[1].split('"')[0]).get_intrinsic_size(1, 1) == (500, 105, 500 / 105)
