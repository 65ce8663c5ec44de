"""Django set up for the plain yardstick alone: one PostgreSQL schema, no modules, no roles."""

from __future__ import annotations

from typing import Any

SCHEMA = "plain"


def set_up() -> Any:
    """Configure Django for the yardstick's tables; returns the module that issues."""
    import django
    from django.conf import settings

    from erp.environment import load_environment

    info = load_environment().login("postgres").conninfo()
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql", "NAME": info["dbname"], "USER": info["user"],
                "PASSWORD": info.get("password", ""), "HOST": info["host"], "PORT": info.get("port", ""),
                "OPTIONS": {"options": f"-c search_path={SCHEMA}"},
            }
        },
        INSTALLED_APPS=[], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True,
    )  # fmt: skip
    django.setup()
    from bench import plain_invoicing

    return plain_invoicing


def make_tables() -> None:
    """Create the yardstick's schema with its masters."""
    plain = set_up()
    from django.db import connection

    with connection.cursor() as cur:
        cur.execute(f"drop schema if exists {SCHEMA} cascade")
        cur.execute(f"create schema {SCHEMA}")
    with connection.schema_editor() as editor:
        for table in plain.TABLES:
            editor.create_model(table)
    plain.Customer.objects.create(name="Kovács Bt.", country="HU")
    for code, rate in (("27", 27), ("5", 5)):
        plain.VatCode.objects.create(code=code, rate=rate)
    for number, name in (("311", "Receivables"), ("9111", "Sales"), ("467", "VAT")):
        plain.Account.objects.create(number=number, name=name)
    plain.Series.objects.create(code="INV", year=2026)


if __name__ == "__main__":
    make_tables()
