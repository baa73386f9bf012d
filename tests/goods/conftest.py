"""The portal's fixtures serve the pages of the warehouse as well."""

from tests.portal.conftest import _no_old_previews, portal, real_portal  # noqa: F401 - fixtures
