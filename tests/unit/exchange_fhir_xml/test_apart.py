"""Names of a sender's own do not stay in a worker: libxml2 keeps them until the thread ends."""

import json
import subprocess
import sys

import pytest

# Some 25 MB of distinct names, in a process of its own.
_PROGRAM = """
import json, sys
from pathlib import Path
from bars_portal.exchange.fhir import xml
from bars_portal.exchange.fhir.outcomes import OutcomeError

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

def names(number):
    return (f"n{number}x{each}{'y' * 80}" for each in range(1000))

def read_elements(number):
    content = "".join(f"<{name}/>" for name in names(number))
    xml.loads(f'<Bundle xmlns="http://hl7.org/fhir">{content}</Bundle>'.encode())

def read_attributes(number):
    content = "".join(f" {name}='1'" for name in names(number))
    xml.loads(f'<Bundle xmlns="http://hl7.org/fhir"><id{content}/></Bundle>'.encode())

def write_narrative(number):
    content = "".join(f"<{name}/>" for name in names(number))
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'
    xml.dumps({"resourceType": "Patient", "text": {"status": "generated", "div": div}})

def work(number):
    try:
        globals()[sys.argv[1]](number)
    except OutcomeError:
        pass

for number in range(20):
    work(number)
before = megabytes()
for number in range(20, 270):
    work(number)
print(megabytes() - before)  # what the test reads of this program
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
@pytest.mark.parametrize("way", ["read_elements", "read_attributes", "write_narrative"])
def test_names_do_not_stay(way: str) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, way], capture_output=True, check=True)
    assert json.loads(done.stdout) < 8
