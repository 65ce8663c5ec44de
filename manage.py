#!/usr/bin/env python
"""Entry point of every command of the ERP."""

import os
import sys

# These commands change the database's structure or rights; only they get the roles that may.
DDL_COMMANDS = {"migrate", "provision", "test", "up"}


def main() -> None:
    """Run a Django management command with the credentials it needs, no more."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")
    if len(sys.argv) > 1 and sys.argv[1] in DDL_COMMANDS:
        os.environ.setdefault("ERP_DB_ROLE", "ddl")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
