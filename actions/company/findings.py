"""What the check of a company folder found: errors that stop the import, hints that do not, and the report about both."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

ERRORS_KEPT = 1_000
HINTS_KEPT_PER_KIND = 10
WHOLE_LINE = "Zeile"
WHOLE_FILE = "Datei"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one place: `file:line: column: what is wrong, what is allowed`."""

    file: str
    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.column}: {self.text}"


@dataclass(slots=True)
class FileReport:
    """What one file brought. `rows` = created + changed + unchanged when nothing was wrong."""

    file: str
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    sha256: str = ""


@dataclass(slots=True)
class ImportReport:
    """The outcome of one import or check.

    Attributes:
        folder: the folder as it was named.
        check_only: nothing was to be written.
        files: per file what came of its rows, in the order of writing.
        errors: the first `ERRORS_KEPT` errors in order of file and line; `error_count` counts all of them.
        hints: unusual but possible rows, at most `HINTS_KEPT_PER_KIND` of each kind and column; `hint_count` counts all.
    """

    folder: str
    check_only: bool
    files: list[FileReport] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    error_count: int = 0
    hints: list[Finding] = field(default_factory=list)
    hint_count: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything was right (and, unless only checked, written)."""
        return self.error_count == 0

    def lines(self) -> Iterator[str]:
        """The report as the office reads it; errors are listed by the caller, in the length that fits its place."""
        if not self.ok:
            yield f"{self.folder}: {self.error_count} Fehler, es wurde nichts übernommen."
        elif self.check_only:
            yield f"{self.folder}: alles in Ordnung, nur geprüft. Ein Import würde bewirken:"
        else:
            yield f"{self.folder}: übernommen."
        width = max((len(f.file) for f in self.files), default=0)
        for f in self.files:
            outcome = f"{f.created} neu, {f.changed} geändert, {f.unchanged} unverändert" if self.ok else "geprüft"
            yield f"  {f.file:<{width}}  {f.rows:>8} Zeilen: {outcome}"
        if self.hint_count:
            yield f"Hinweise ({self.hint_count}): ungewöhnlich, aber möglich; sie halten nichts auf."
            for hint in self.hints:
                yield f"  {hint}"
            if self.hint_count > len(self.hints):
                yield f"  … und {self.hint_count - len(self.hints)} weitere derselben Art"


class Findings:
    """Collects errors and hints in bounded memory, however broken a file is."""

    def __init__(self, order: tuple[str, ...]) -> None:
        self._order = {file: position for position, file in enumerate(order)}
        self._errors: list[Finding] = []
        self._hints: list[Finding] = []
        self._kinds: Counter[tuple[str, str, str]] = Counter()
        self.error_count = 0
        self.hint_count = 0

    def error(self, file: str, line: int, column: str, text: str) -> None:
        """Something that keeps the folder out."""
        self.error_count += 1
        if len(self._errors) < ERRORS_KEPT:
            self._errors.append(Finding(file, line, column, text))

    def more_errors(self, count: int) -> None:
        """Errors of the kind just listed that were counted but not fetched."""
        self.error_count += count

    def hint(self, file: str, line: int, column: str, kind: str, text: str) -> None:
        """Something unusual; `kind` groups hints so that ten thousand alike do not hide the others."""
        self.hint_count += 1
        self._kinds[file, column, kind] += 1
        if self._kinds[file, column, kind] <= HINTS_KEPT_PER_KIND:
            self._hints.append(Finding(file, line, column, text))

    def more_hints(self, count: int) -> None:
        """Hints of the kind just listed that were counted but not fetched."""
        self.hint_count += count

    @property
    def errors(self) -> list[Finding]:
        """The errors so far, in order of file and line."""
        return self._sorted(self._errors)

    @property
    def hints(self) -> list[Finding]:
        """The hints so far, in order of file and line."""
        return self._sorted(self._hints)

    def _sorted(self, found: list[Finding]) -> list[Finding]:
        return sorted(found, key=lambda f: (self._order.get(f.file, len(self._order)), f.file, f.line))

    def into(self, report: ImportReport) -> ImportReport:
        """Put what was found into the report."""
        report.errors, report.error_count = self._sorted(self._errors), self.error_count
        report.hints, report.hint_count = self._sorted(self._hints), self.hint_count
        return report
