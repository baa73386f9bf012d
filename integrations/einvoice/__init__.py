"""The structured invoice: CII XML of EN 16931 (ZUGFeRD) or XRechnung, and the checks it must pass before it may leave."""

from integrations.einvoice.build import Profile, build_cii
from integrations.einvoice.checks import CheckRecord, check
from integrations.einvoice.reading import Finding
from integrations.einvoice.trial import check_content, check_contents, profile_of

__all__ = ["CheckRecord", "Finding", "Profile", "build_cii", "check", "check_content", "check_contents", "profile_of"]
