"""`python -m bars_portal.simulator`, and `python -m bars_portal.simulator selftest`."""

import os
import sys

from bars_portal.simulator.app import serve
from bars_portal.simulator.commands import is_command, run
from bars_portal.simulator.config import read_config

if __name__ == "__main__":
    if sys.argv[1:2] == ["selftest"]:
        # The model library takes a second to load: the servers need not wait for it.
        from bars_portal.simulator.selftest.command import main

        sys.exit(main(sys.argv[2:]))
    if is_command(sys.argv[1:]):
        sys.exit(run(sys.argv[1:], os.environ))
    serve(read_config(sys.argv[1:], os.environ))
