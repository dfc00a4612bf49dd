"""Catalogues into the directory: previewed, applied whole, and never over somebody's own change."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.models import AuditEvent
from directory.catalogue.comparing import compare
from directory.catalogue.entries import EVERYTHING, BadCatalogue
from directory.catalogue.resources import pack_answers
from directory.models import CatalogueChange, CatalogueImport, Endpoint, HealthcareService, ImportState
from directory.services.catalogue import CatalogueMoved, Preview, apply_catalogue, preview_catalogue
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_endpoint, make_service

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
SYSTEM_URL = "https://fhir.nhs.uk/Id/dos-service-id"
URL = "https://receiver.example.nhs.uk/FHIR/R4"


def rows(*services: dict[str, Any]) -> bytes:
    columns = list(
        dict.fromkeys(["service_id", "name", "provider_ods", *(key for row in services for key in row)])
    )
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({"name": "A", "provider_ods": "RIV01", **row} for row in services)
    return text.getvalue().encode()


def preview(content: bytes, source: str = "csv", provider: Organisation | None = None) -> Preview:
    return preview_catalogue(
        source=source,
        name="list",
        content=content,
        provider=provider,
        reach=EVERYTHING,
        actor=SYSTEM,
        now=NOW,
    )


def apply(preview: Preview) -> bool:
    """As another request would: it reads the file anew."""
    return apply_catalogue(
        catalogue=preview.catalogue,
        fingerprint=preview.difference.fingerprint,
        reach=EVERYTHING,
        actor=SYSTEM,
        now=NOW,
    )


def bring_in(content: bytes, source: str = "csv", provider: Organisation | None = None) -> CatalogueImport:
    previewed = preview(content, source, provider)
    assert apply(previewed)
    return CatalogueImport.objects.get(pk=previewed.catalogue.pk)


def routes(**addresses: str) -> bytes:
    entries = ", ".join(f'"{key[1:]}": "{url}"' for key, url in addresses.items())
    return f'{{"NHSD-Target-Identifier": {{"{SYSTEM_URL}": {{{entries}}}}}}}'.encode()


def counts(catalogue: CatalogueImport) -> tuple[int, int, int, int]:
    return catalogue.added, catalogue.changed, catalogue.removed, catalogue.unchanged


def test_a_preview_writes_nothing_into_the_directory() -> None:
    catalogue = preview(rows({"service_id": "1"})).catalogue

    assert counts(catalogue) == (1, 0, 0, 0)
    assert not HealthcareService.objects.exists()
    assert not Organisation.objects.exists()


def test_a_list_makes_services_endpoints_and_organisations() -> None:
    catalogue = bring_in(
        rows(
            {
                "service_id": "1",
                "provider_name": "Riverside",
                "service_type": "utc",
                "accepted_use_cases": "a1t2;a1t4",
                "address_lines": "4 Way; Leeds",
                "opening_hours": "Mon 8:00-20:00",
                "catchment_miles": "12.5",
                "endpoint_address": f"{URL}/",
            },
            {"service_id": "2", "name": "Tŷ Gwyn", "active": "no"},
        )
    )

    first, second = HealthcareService.objects.order_by("service_id").select_related("provider")
    assert (first.provider.name, first.service_type, first.accepted_use_cases) == (
        "Riverside",
        "utc",
        ["a1t2", "a1t4"],
    )
    assert (first.address_lines, first.opening_hours) == (["4 Way", "Leeds"], {"mon": [["08:00", "20:00"]]})
    assert (first.catchment_miles, first.bank_holiday_hours, first.source, first.hosted) == (
        12.5,
        None,
        "csv",
        False,
    )
    assert (second.folded_name, second.active, second.takes_bookings) == ("ty gwyn", False, True)
    endpoint = first.endpoints.get()
    assert (endpoint.address, endpoint.status, endpoint.connection_type) == (URL, "active", "hl7-fhir-rest")
    assert (catalogue.state, catalogue.applied_at, bytes(catalogue.content)) == (
        ImportState.APPLIED,
        NOW,
        b"",
    )
    events = AuditEvent.objects.values_list("action", "detail")
    assert ("directory.apply_catalogue", {"source": "csv", "added": 2, "changed": 0, "removed": 0}) in events


def test_the_same_list_again_changes_nothing() -> None:
    content = rows(
        {"service_id": "1", "opening_hours": "Mon 8:00-20:00", "endpoint_address": URL, "postcode": "ls14ap"}
    )
    bring_in(content)

    assert counts(bring_in(content)) == (0, 0, 0, 1)


def test_a_newer_list_says_who_changed_what() -> None:
    bring_in(rows({"service_id": "1", "phone": "111", "endpoint_address": URL}, {"service_id": "2"}))

    catalogue = bring_in(rows({"service_id": "1", "name": "B", "endpoint_address": f"{URL}/new"}))

    assert counts(catalogue) == (0, 1, 1, 0)
    changed, removed = CatalogueChange.objects.filter(catalogue=catalogue).order_by("service__service_id")
    assert changed.fields == {"name": ["A", "B"], "endpoint address": [URL, f"{URL}/new"]}
    assert (removed.kind, removed.fields) == ("removed", {"active": [True, False]})
    assert HealthcareService.objects.get(service_id="1").phone == "111", "what it does not say stays"
    assert not HealthcareService.objects.get(service_id="2").active
    assert bring_in(rows({"service_id": "2"}, {"service_id": "1", "name": "B"})).changed == 2, "active again"


def test_services_of_other_sources_are_not_missed() -> None:
    make_service(service_id="7")
    bring_in(rows({"service_id": "1"}))

    catalogue = bring_in(routes(s7=URL), "routes")

    assert counts(catalogue) == (0, 1, 0, 0)
    assert HealthcareService.objects.filter(active=True).count() == 2


def test_routes_change_the_endpoint_that_is_there() -> None:
    endpoint = make_endpoint(service=make_service(service_id="7", name="Ours"))

    bring_in(routes(s7=f"{URL}/moved"), "routes")

    endpoint.refresh_from_db()
    assert Endpoint.objects.count() == 1
    assert (endpoint.address, endpoint.source, endpoint.service.name) == (f"{URL}/moved", "local", "Ours")


def test_new_routes_need_to_know_whose_they_are() -> None:
    with pytest.raises(BadCatalogue, match="Service 8: it is new and names no organisation"):
        preview(routes(s8=URL), "routes")

    bring_in(routes(s8=URL), "routes", make_organisation(ods_code="RIV01"))

    service = HealthcareService.objects.select_related("provider").get(service_id="8")
    assert (service.name, service.provider.ods_code) == ("Service 8", "RIV01")


def test_an_endpoint_that_is_gone_is_switched_off() -> None:
    owner = make_organisation()
    bring_in(routes(s8=URL), "routes", owner)
    bring_in(rows({"service_id": "8", "endpoint_address": URL}))

    assert set(Endpoint.objects.values_list("source", "status")) == {("routes", "active")}
    assert bring_in(routes(s9=URL), "routes", owner).removed == 1


def test_an_endpoint_of_another_source_stays_on() -> None:
    endpoint = make_endpoint(service=make_service(service_id="1"))

    bring_in(rows({"service_id": "1", "endpoint_address": f"{URL}/other"}))
    bring_in(rows({"service_id": "1"}))

    endpoint.refresh_from_db()
    assert (endpoint.source, endpoint.status) == ("local", "active")


def test_a_second_press_is_harmless() -> None:
    catalogue = preview(rows({"service_id": "1"}))
    assert apply(catalogue)

    assert not apply(catalogue)


def test_what_changed_since_the_preview_must_be_looked_at_again() -> None:
    service = make_service(service_id="1", name="Ours")
    catalogue = preview(rows({"service_id": "1", "name": "Theirs"}))
    HealthcareService.objects.filter(pk=service.pk).update(name="Changed by hand")

    with pytest.raises(CatalogueMoved):
        apply(catalogue)
    assert HealthcareService.objects.get().name == "Changed by hand"
    assert CatalogueImport.objects.get(pk=catalogue.catalogue.pk).state == ImportState.PREVIEWED


def test_a_change_between_our_look_and_our_write_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody saved just after we read: rows are locked and read once more before they are written."""
    service = make_service(service_id="1", phone="1")
    catalogue = preview(rows({"service_id": "1", "name": "Theirs"}))
    real = compare

    def compare_slowly(*args: Any, **options: Any) -> Any:
        HealthcareService.objects.filter(pk=service.pk).update(phone="2")
        return real(*args, **options)

    monkeypatch.setattr("directory.services.catalogue.compare", compare_slowly)
    with pytest.raises(CatalogueMoved):
        apply(catalogue)


def test_what_breaks_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = preview(rows({"service_id": "1", "endpoint_address": URL}))

    def fail(*_args: object) -> None:
        raise OSError

    monkeypatch.setattr("directory.services.catalogue._change_rows", fail)
    with pytest.raises(OSError):
        apply(catalogue)
    assert not HealthcareService.objects.exists()
    assert not Endpoint.objects.exists()
    assert not CatalogueChange.objects.exists()


def test_what_is_known_and_what_is_said_must_fit_together() -> None:
    make_service(service_id="1", requires_booking=True)

    with pytest.raises(BadCatalogue, match="Service 1: a service that requires a booking"):
        preview(rows({"service_id": "1", "takes_bookings": "no"}))


def test_hosted_services_keep_what_is_said_of_them_here() -> None:
    make_service(service_id="1", name="Ours", hosted=True, provider=make_organisation(ods_code="RIV01"))

    difference = preview(answers("1", "Theirs"), "api").difference

    (change,) = difference.changes
    assert set(change.fields()) == {"catalogue_id"}


def answers(service_id: str, name: str) -> bytes:
    service = {
        "resourceType": "HealthcareService",
        "id": "1fa2f3d4-0000-4000-8000-000000000001",
        "identifier": [{"system": SYSTEM_URL, "value": service_id}],
        "providedBy": [
            {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RIV01"}}
        ],
        "name": name,
    }
    return pack_answers(organisations=["RIV01"], services=[service], endpoints=[])


class TestCommand:
    def test_a_dry_run_shows_and_writes_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "list.csv"
        path.write_bytes(rows({"service_id": "1", "takes_referrals": "yes"}))

        call_command("import_catalogue", path, "--dry-run")

        shown = capsys.readouterr().out
        assert "1 new, 0 changed, 0 made inactive, 0 as they were." in shown
        assert "1  New: name: A; provider: RIV01; takes referrals: yes" in shown
        assert not CatalogueImport.objects.exists()

    def test_it_applies_and_names_who_answers(self, tmp_path: Path) -> None:
        make_organisation(ods_code="RIV01")
        path = tmp_path / "catalogue.json"
        path.write_bytes(routes(s1=URL))

        call_command("import_catalogue", path, "--provider", "riv01", "--by", "Ellis Ngata")

        assert CatalogueImport.objects.get().actor_label == "Ellis Ngata"
        assert HealthcareService.objects.get().endpoints.get().address == URL

    @pytest.mark.parametrize(
        ("name", "content", "options", "message"),
        [
            ("a.csv", b"service_id\n1", [], "Line 1: the column name is missing"),
            ("a.txt", b"", [], "Say what the file is"),
            ("a.json", routes(s1=URL), ["--provider", "X99"], "no organisation X99"),
            ("a.json", routes(s1=URL), [], "names no organisation"),
            ("missing.csv", None, [], "cannot be read"),
        ],
    )  # fmt: skip
    def test_a_refusal_says_why(
        self, tmp_path: Path, name: str, content: bytes | None, options: list[str], message: str
    ) -> None:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(CommandError, match=message):
            call_command("import_catalogue", tmp_path / name, *options)
        assert not CatalogueImport.objects.exists()
