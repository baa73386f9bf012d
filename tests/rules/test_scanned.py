"""What stands in a barcode beside the number itself."""

import pytest

from rules.scanned import bare_gtin, model_and_serial, without_identifier


@pytest.mark.parametrize(
    ("code", "serial", "with_model"),
    [
        ("S5CG1234AB", "5CG1234AB", ""),
        ("1S20XW004AGEPF2ABCDE", "", "20XW004AGEPF2ABCDE"),
        ("1s20xw004agepf2abcde", "", "20xw004agepf2abcde"),
        ("S1", "", ""),
        ("1SABC", "", ""),
        ("NB14503152910", "", ""),
        ("", "", ""),
    ],
)
def test_identifiers_of_makers(code: str, serial: str, with_model: str) -> None:
    assert (without_identifier(code), model_and_serial(code)) == (serial, with_model)


@pytest.mark.parametrize(
    ("code", "bare"),
    [
        ("04012345000016", "4012345000016"),
        ("4012345000016", "4012345000016"),
        ("012345678905", "12345678905"),
        ("0012345678905", "12345678905"),
        ("123", ""),
        ("401234500001X", ""),
        ("²²²²²²²²", ""),
    ],
)
def test_leading_zeros_of_an_article_number(code: str, bare: str) -> None:
    assert bare_gtin(code) == bare
