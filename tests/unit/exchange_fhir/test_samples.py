"""A warmed worker has every model that messages need: none is built while a partner waits."""

import json
import subprocess
import sys
from pathlib import Path

from .factory import booking, cancel

# In a process of its own: here other tests have built models.
_PROGRAM = """
import json, sys
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from bars_portal.exchange.fhir.structure import check_structure, warm

def models(found):
    return {found.__qualname__}.union(*map(models, found.__subclasses__()))

messages = json.load(sys.stdin)
warm()
before = models(FHIRAbstractModel)
for each in messages:
    check_structure(each)
json.dump(sorted(models(FHIRAbstractModel) - before), sys.stdout)
"""


def built_by(messages: list[object]) -> object:
    """Names of the models that these messages make a warmed process build."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input=json.dumps(messages).encode(), capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_own_messages_build_nothing() -> None:
    """What none of them has is built, and it alone."""
    rare = {"resourceType": "Bundle", "type": "message", "entry": [{"resource": {"resourceType": "Basic"}}]}
    assert built_by([booking(), cancel(), rare]) == ["Basic"]


def test_published_messages_build_nothing(shared_dir: Path) -> None:
    found = (json.loads(each.read_text()) for each in (shared_dir / "fhir" / "examples").glob("*.json"))
    messages = [each for each in found if each.get("type") == "message"]
    assert messages
    assert built_by(messages) == []
