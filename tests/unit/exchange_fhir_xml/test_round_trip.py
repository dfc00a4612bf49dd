"""XML -> JSON -> XML and back is equal: for every published example, and for resources that nobody wrote."""

import json as stdlib_json
from pathlib import Path
from typing import Any

from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome
from hypothesis import HealthCheck, given, settings

from bars_portal.exchange.fhir import json, xml
from tests.profiles import examples
from tests.unit.exchange_fhir_xml.exact import exact
from tests.unit.exchange_fhir_xml.strategies import resources


def test_every_published_example_goes_both_ways(shared_dir: Path) -> None:
    for path in sorted((shared_dir / "fhir" / "examples").glob("*.json")):
        published = json.loads(path.read_bytes())
        as_xml = xml.dumps(published)
        read = xml.loads(as_xml)
        assert exact(read) == exact(published), path.name
        assert xml.dumps(json.loads(json.dumps(read))) == as_xml, path.name


def test_another_reader_understands_what_we_write(shared_dir: Path) -> None:
    """fhir.resources has a converter of its own; it drops digits, so models are compared."""
    for path in sorted((shared_dir / "fhir" / "examples").glob("*.json")):
        published = json.loads(path.read_bytes())
        model = Bundle if published["resourceType"] == "Bundle" else OperationOutcome
        read = model.model_validate_xml(xml.dumps(published))
        assert read.model_dump_json() == model.model_validate(published).model_dump_json(), path.name


def test_we_understand_what_another_writer_writes(shared_dir: Path) -> None:
    path = next((shared_dir / "fhir" / "examples").glob("BOOKREQ01*.json"))
    model = Bundle.model_validate(json.loads(path.read_bytes()))
    written: Any = model.model_dump_xml()  # its annotation says str, but they are bytes
    read = xml.loads(written)
    assert Bundle.model_validate(read).model_dump_json() == model.model_dump_json()


@settings(
    max_examples=examples(25, thorough=300), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(resources())
def test_any_resource_goes_both_ways(resource: dict[str, Any]) -> None:
    as_xml = xml.dumps(resource)
    read = xml.loads(as_xml)
    assert exact(read) == exact(resource)
    as_json = json.dumps(read)
    assert xml.dumps(json.loads(as_json)) == as_xml
    assert stdlib_json.loads(as_json) == stdlib_json.loads(json.dumps(resource))
