"""`python -m bars_portal.simulator`."""

import os
import sys

from bars_portal.simulator.arguments import read_config
from bars_portal.simulator.commands import is_command, run
from bars_portal.simulator.server import serve

if __name__ == "__main__":
    if is_command(sys.argv[1:]):
        sys.exit(run(sys.argv[1:], os.environ))
    serve(read_config(sys.argv[1:], os.environ))
