#!/usr/bin/env python
"""Django's command line; demo settings unless DJANGO_SETTINGS_MODULE says otherwise."""

import os
import shlex
import sys

from django.core.management import execute_from_command_line

DEMO = "bars_portal.settings.demo"


def join_the_demo() -> None:
    """A command beside `make demo` has its environment, as far as its own names nothing else."""
    from bars_portal.settings.environment import VAR

    file = VAR / "manage.env"
    if file.exists():
        for assignment in shlex.split(file.read_text()):
            name, _, value = assignment.partition("=")
            os.environ.setdefault(name, value)


if __name__ == "__main__":
    if os.environ.setdefault("DJANGO_SETTINGS_MODULE", DEMO) == DEMO:
        join_the_demo()
    execute_from_command_line(sys.argv)
