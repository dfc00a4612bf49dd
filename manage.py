#!/usr/bin/env python
"""Django's command line; demo settings unless DJANGO_SETTINGS_MODULE says otherwise."""

import os
import sys
from urllib.parse import quote

from django.core.management import execute_from_command_line

DEMO = "bars_portal.settings.demo"


def find_the_demo() -> None:
    """A command beside `make demo` speaks to its embedded database, unless DATABASE_URL names another."""
    from bars_portal.env import VAR

    if (VAR / "postgres").is_dir():
        folder = quote(str(VAR / "postgres"), safe="/")
        os.environ.setdefault("DATABASE_URL", f"postgresql://postgres@/bars_portal?host={folder}")


if __name__ == "__main__":
    if os.environ.setdefault("DJANGO_SETTINGS_MODULE", DEMO) == DEMO:
        find_the_demo()
    execute_from_command_line(sys.argv)
