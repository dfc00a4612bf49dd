"""The staff pages of catalogues: upload, look, apply; and who may."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from directory.admin import catalogues
from directory.models import CatalogueImport, HealthcareService
from tests.factories.accounts import make_organisation, make_user
from tests.factories.directory import make_service

pytestmark = pytest.mark.django_db

ADD = "/admin/directory/catalogueimport/add/"
LIST = b"service_id,name,provider_ods\n1,Riverside,RIV01\n"


@pytest.fixture
def engineer(client: Client) -> Client:
    client.force_login(make_user(role=Role.ENGINEER, organisation=make_organisation(ods_code="RIV01")))
    return client


def upload(client: Client, content: bytes = LIST, source: str = "csv", **fields: str) -> HttpResponse:
    file = SimpleUploadedFile("list.csv", content)
    return client.post(ADD, {"source": source, "file": file, **fields})  # type: ignore[return-value]  # the test client's


def previewed(client: Client) -> tuple[str, str]:
    """The preview's path and the fingerprint in its form."""
    path = upload(client)["Location"]
    return path, client.get(path).context["fingerprint"]


def test_a_list_is_previewed_then_applied_once(engineer: Client) -> None:
    path, fingerprint = previewed(engineer)
    page = engineer.get(path).content.decode()
    assert "1 new, 0 changed, 0 made inactive, 0 as they were." in page
    assert "name: Riverside<br>provider: RIV01" in page
    assert not HealthcareService.objects.exists()

    for said in ("The catalogue is applied.", "It was applied already."):
        answer = engineer.post(path, {"fingerprint": fingerprint}, follow=True)
        assert answer.redirect_chain == [(path, 302)]
        assert said in answer.content.decode()
    assert HealthcareService.objects.get().name == "Riverside"
    assert "What it changed" in engineer.get(path).content.decode()


def test_a_refused_list_names_line_and_reason(engineer: Client) -> None:
    page = upload(engineer, LIST + b"1,Twin,RIV01\n").content.decode()

    assert "Line 3, column service_id" in page
    assert "this service is on line 2 already" in page
    assert not CatalogueImport.objects.exists()


@pytest.mark.parametrize("broken", ["\\ud800", "https://fhir.nhs.uk/Id/dos-service-id"], ids=["system", "id"])
def test_half_a_character_is_refused_in_words(engineer: Client, broken: str) -> None:
    """JSON can say it, and no page can hold it."""
    routes = f'{{"NHSD-Target-Identifier": {{"{broken}": {{"\\udfff": "https://receiver.example"}}}}}}'
    page = upload(engineer, routes.encode(), source="routes").content.decode()
    assert "half a character" in page
    assert not CatalogueImport.objects.exists()


def test_what_changed_since_is_shown_again_instead_of_applied(engineer: Client) -> None:
    path, fingerprint = previewed(engineer)
    make_service(service_id="1", name="By hand", provider=Organisation.objects.get(ods_code="RIV01"))

    page = engineer.post(path, {"fingerprint": fingerprint}, follow=True).content.decode()

    assert "The directory changed since you looked" in page
    assert "name: By hand, now Riverside" in page
    assert HealthcareService.objects.get().name == "By hand"


def test_a_file_is_needed_and_may_not_be_huge(engineer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose the file" in engineer.post(ADD, {"source": "csv"}).content.decode()
    monkeypatch.setattr(catalogues, "MOST_MEGABYTES", 0)
    assert "larger than 0 MB" in upload(engineer).content.decode()


def test_an_unreachable_catalogue_is_said(engineer: Client, settings: object) -> None:
    page = engineer.post(ADD, {"source": "api", "organisations": "RIV01"}).content.decode()
    assert "The catalogue could not be asked" in page


@pytest.mark.parametrize(
    ("role", "status"), [(Role.AUDITOR, 200), (Role.MANAGER, 403), (Role.CLINICIAN, 302)]
)
def test_others_may_look_or_not_even_that(engineer: Client, role: Role, status: int) -> None:
    path, fingerprint = previewed(engineer)
    other = Client()
    other.force_login(make_user(role=role, organisation=Organisation.objects.get(ods_code="RIV01")))

    assert other.get(path).status_code == status
    assert "Apply these changes" not in other.get(path).content.decode()
    assert other.post(path, {"fingerprint": fingerprint}).status_code in (302, 403)
    assert other.get(ADD).status_code in (302, 403)
    assert not HealthcareService.objects.exists()
