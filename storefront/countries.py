"""Countries that the shop delivers to, by code, with their names in the active language."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

COUNTRIES = [
    ("HU", _("Hungary")), ("AT", _("Austria")), ("SK", _("Slovakia")), ("RO", _("Romania")), ("HR", _("Croatia")),
    ("SI", _("Slovenia")), ("CZ", _("Czechia")), ("DE", _("Germany")), ("PL", _("Poland")), ("IT", _("Italy")),
    ("FR", _("France")), ("NL", _("Netherlands")), ("BE", _("Belgium")), ("ES", _("Spain")),
]  # fmt: skip


def country_name(code: str) -> str:
    """Name of a country; the code of one that the shop does not list."""
    return str(dict(COUNTRIES).get(code, code))
