"""A received case as a PDF: whole, with the patient on every page, recorded, and named after nobody."""

from io import BytesIO

import pytest
from django.urls import reverse
from pypdf import PdfReader

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from referrals.cases.models import Case
from referrals.message_page.page import message_of
from referrals.message_page.reader import Item, Row
from referrals.responding import local
from tests.factories.accounts import make_acting
from tests.integration.referral_pages.conftest import Office, client_of


def address(case: Case) -> str:
    return reverse("referrals:case-pdf", args=[case.pk])


def pages(office: Office, case: Case) -> list[str]:
    response = office.client.get(address(case))
    assert response["Content-Type"] == "application/pdf"
    return [" ".join(each.extract_text().split()) for each in PdfReader(BytesIO(response.content)).pages]


def _plain(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", ["REFREQ01", "VALREQ01"])
def test_everything_of_the_page_is_in_it(office: Office, name: str) -> None:
    case = office.desk.ask(name)
    local.add_note(
        case=case, text="Line is bad\nRang twice", acting=office.desk.clinician, now=office.desk.now
    )
    found = pages(office, case)
    assert len(found) > 2
    for number, page in enumerate(found, start=1):
        assert f"Page {number} of {len(found)}" in page
        assert "JONES, Julie (Mrs)" in page
        assert "Born 04-May-1959" in page
        assert "NHS No. 347 852 6985" in page
    # Words are split where a line or a page ends, and a page begins with the patient.
    whole = _plain(" ".join(found))
    message = message_of(case, office.desk.now)
    assert message is not None
    for said in ("Line is bad", "Rang twice", case.reference, *(group.title for group in message.groups)):
        assert _plain(said) in whole
    for row in [
        *message.facts,
        *(row for group in message.groups for item in group.items for row in rows(item)),
    ]:
        for line in (*row.lines, row.label):
            for word in line.split():
                assert word in whole, row.label


def rows(item: Item) -> list[Row]:
    return [*item.rows, *(row for part in item.parts for row in rows(part))]


def test_it_is_recorded_and_names_nobody(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    response = office.client.get(address(case))
    assert response["Content-Disposition"] == 'attachment; filename="referral.pdf"'
    assert "no-store" in response["Cache-Control"]
    metadata = PdfReader(BytesIO(response.content)).metadata
    assert metadata is not None
    assert metadata.title == "Referral received"
    (event,) = AuditEvent.objects.filter(action="referrals.export_case")
    assert (event.subject_id, event.outcome) == (str(case.pk), "done")
    journey = office.client.get(reverse("referrals:journey", args=[case.journey_id])).content.decode()
    assert "Referral: saved as a file" in journey
    assert address(case) in office.client.get(office.page(case)).content.decode()


def test_only_who_may_read_the_case(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    assert client_of(make_acting()).get(address(case)).status_code == 404
    assert office.colleague(Role.ENGINEER).get(address(case)).status_code == 403
    assert not AuditEvent.objects.filter(action="referrals.export_case").exists()
