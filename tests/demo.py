"""`python -m tests.demo`: the demo as its launcher starts it, with the settings of tests/demo_settings.py."""

import sys
from typing import Any

from bars_portal.demo import __main__ as demo
from bars_portal.demo import setup
from bars_portal.demo.setup import portal_environment as own_environment


def portal_environment(*given: Any) -> dict[str, str]:
    return {**own_environment(*given), "DJANGO_SETTINGS_MODULE": "tests.demo_settings"}


if __name__ == "__main__":
    # As the launcher has it: its programs, its own commands, and whoever reads manage.env.
    setup.portal_environment = portal_environment  # type: ignore[assignment]  # takes what the launcher gives
    sys.exit(demo.main())
