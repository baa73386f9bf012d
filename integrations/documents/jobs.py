"""What can be rendered, as picklable jobs: a pool's process calls `run`."""

from dataclasses import dataclass

from integrations.documents.contents import InvoiceContent, PostalListContent, ReportContent


@dataclass(frozen=True, slots=True)
class ReportJob:
    """A service report."""

    content: ReportContent
    tagged: bool = False

    @property
    def name(self) -> str:
        return self.content.number

    def run(self) -> bytes:
        from integrations.documents.report import render_report

        return render_report(self.content, tagged=self.tagged)


@dataclass(frozen=True, slots=True)
class InvoiceJob:
    """A hybrid invoice: `xml` checked, `report_pdf` as it was mailed."""

    content: InvoiceContent
    xml: bytes
    report_pdf: bytes | None = None

    @property
    def name(self) -> str:
        return self.content.number

    def run(self) -> bytes:
        from integrations.documents.invoice import render_invoice

        return render_invoice(self.content, self.xml, self.report_pdf)


@dataclass(frozen=True, slots=True)
class PaperJob:
    """The printed face of an invoice."""

    content: InvoiceContent

    @property
    def name(self) -> str:
        return self.content.number

    def run(self) -> bytes:
        from integrations.documents.invoice import render_paper_face

        return render_paper_face(self.content)


@dataclass(frozen=True, slots=True)
class PostalListJob:
    """Cover and list of a postal batch."""

    content: PostalListContent

    @property
    def name(self) -> str:
        return self.content.batch

    def run(self) -> bytes:
        from integrations.documents.postal_list import render_postal_list

        return render_postal_list(self.content)


Job = ReportJob | InvoiceJob | PaperJob | PostalListJob
