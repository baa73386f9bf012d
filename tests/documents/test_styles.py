"""Styles kept from document to document: they never show in a document."""

import pytest

from integrations.documents import styles
from integrations.documents.engine import engine
from integrations.documents.invoice import render_paper_face
from integrations.documents.report import render_report
from tests.documents import samples


def _documents() -> list[bytes]:
    """Invoice, one with a style of its own, report with chart."""
    return [
        render_paper_face(samples.invoice()),
        render_paper_face(samples.cancellation()),
        render_report(samples.report(2), tagged=True),
    ]


def test_a_document_of_kept_styles_is_the_one_of_new_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the proof that the insides of WeasyPrint which this rests on are still the same."""
    _documents()
    kept = _documents()
    monkeypatch.setattr(styles.Styles, "shared", lambda _self, new: new)

    assert _documents() == kept


def test_documents_of_the_same_templates_need_no_further_styles() -> None:
    _documents()
    known = len(engine().styles)
    _documents()

    assert 50 < known == len(engine().styles)


def test_a_full_store_is_emptied_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = _documents()
    monkeypatch.setattr(engine(), "styles", styles.Styles())
    monkeypatch.setattr(styles, "MOST", 20)

    assert _documents() == kept
    assert len(engine().styles) <= 20
