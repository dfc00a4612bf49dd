"""How long 200 KB take, a figure and no assertion: `python -m tests.unit.exchange_fhir_xml.bench`.

BARS_SHARED_DIR names the folder of the published examples.
"""

import os
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from bars_portal.exchange.fhir import json, xml

ROUNDS = 50


def main() -> None:
    folder = Path(os.environ["BARS_SHARED_DIR"]) / "fhir" / "examples"
    one = json.loads(next(folder.glob("REFREQ01*.json")).read_bytes())
    resource = {**one, "entry": one["entry"] * 8}
    body = xml.dumps(resource)
    for name, work in (("read", lambda: xml.loads(body)), ("write", lambda: xml.dumps(resource))):
        times = []
        for _ in range(ROUNDS):
            began = perf_counter()
            work()
            times.append((perf_counter() - began) * 1000)
        figures = f"median {median(times):.1f} ms, {min(times):.1f} to {max(times):.1f}"
        sys.stdout.write(f"{name} {len(body) // 1000} KB of XML: {figures}\n")


if __name__ == "__main__":
    main()
