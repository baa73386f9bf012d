"""The company folder: a house's data in and out as CSV files. Page: docs/import.md"""

from actions.company.exporting import export_folder
from actions.company.findings import FileReport, Finding, ImportReport
from actions.company.importing import import_folder

__all__ = ["FileReport", "Finding", "ImportReport", "export_folder", "import_folder"]
