"""Every screen of the administration, as staff read it: by task, in words, found by what it says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.test import Client, RequestFactory
from django.utils import timezone
from lxml import html

from bars_portal.accounts.permissions import PERMISSIONS, Role
from bars_portal.apps import SECTIONS
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.staff_lists import DaysFilter
from bars_portal.audit.staff_pages import StaffAdmin
from bookings.models import Schedule, Slot, SlotStatus
from directory.models import CatalogueImport
from tests.factories.accounts import confirm
from tests.factories.everything import MARK
from tests.factories.patients import DETAILS, make_patient
from tests.integration.staff.acting import carry_out
from tests.integration.staff.conftest import World

PAGES = [each for each in admin.site._registry.values() if isinstance(each, StaffAdmin)]
GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# What says everything by its own name. Everything else has a sentence beside it, or above its fieldset.
PLAIN = frozenset(
    {
        *("Name", "First name", "Last name", "Family name", "First names", "Title", "Gender", "Role"),
        *("Patient", "Date of birth", "Died", "NHS number", "Other NHS numbers", "Address", "Postcode"),
        *("GP practice", "Contacts, the call-back first", "Traced by", "Traced on", "Verified"),
        *("Service", "Diary", "Starts", "Ends", "When", "Who", "What happened", "Outcome", "About"),
        *("Made", "Begun", "Received", "Answered", "Noticed", "Asked", "Revoked", "Removed", "Settled"),
        *("Last changed", "State", "State since", "Status", "Priority", "Reference", "Sender", "Written"),
        *("Who replied", "Kind", "Kind of service", "Kind of request", "Dealt with", "By whom", "Case"),
        *("Requester name", "Scene not safe", "Takes bookings", "Usage", "Secrets", "Event", "Details"),
        *("Conversation", "Rule by rule", "Message type", "What changed", "Account made", "Last login"),
        *("Message, decoded", "Our answer", "Last answer", "Headers", "In its own codes", "Webhook"),
        *("Takes referrals by", "Takes bookings by", "That it speaks", "Answered with HTTP status"),
        *("What it said of itself anew", "Why it takes none now", "As if it were in force"),
        *("Noticed, and let pass", "What it may do", "Accepted use cases", "Who caused it", "Tried next"),
        *("Being sent since", "Not answering since", "In force", "Days of the week", "Client id"),
        *("Webhook-id", "What it is about", "Bundle.id", "Organisation", "Tried again"),
    }
)


@pytest.fixture
def reader(world: World) -> Client:
    """Somebody with every role, who confirmed who they are."""
    client = world.client(*Role, at_home=True)
    confirm(client)
    return client


def address_of(page: StaffAdmin) -> str:
    return f"/admin/{page.opts.app_label}/{page.opts.model_name}/"


def rows_by_page(world: World) -> Iterator[tuple[StaffAdmin, Model]]:
    known = {type(row): row for row in world.rows}
    for page in PAGES:
        if page.model in known:
            yield page, known[page.model]


def test_each_list_is_in_one_section() -> None:
    listed = [label for section in SECTIONS for label in section.lists]
    assert sorted(listed) == sorted(page.opts.label_lower for page in PAGES)
    assert [page.opts.label for page in PAGES if not page.purpose] == []
    assert SECTIONS[0].title == "Today"


@pytest.mark.parametrize(
    "role",
    [
        Role.AUDITOR,
        # The same pages by other keys.
        *(pytest.param(each, marks=pytest.mark.thorough) for each in (Role.MANAGER, Role.ENGINEER)),
        pytest.param(Role.INSTALLER, marks=pytest.mark.thorough),
    ],
    ids=str,
)
def test_every_entry_of_the_index_opens(world: World, role: Role) -> None:
    """What is not a role's is not there; what is there is theirs."""
    client = world.client(role, at_home=True)
    sections = client.get("/admin/").context["app_list"]
    pages = {each["admin_url"] for section in sections for each in section["models"]}
    portal = [each for each in pages if not each.startswith("/admin/")]
    assert [each for each in portal if client.get(each, follow=True).status_code != 200] == []
    own = {
        page.url_name
        for section in SECTIONS
        for page in section.pages
        if not page.permission or page.permission in PERMISSIONS[role]
    }
    assert len(portal) == len(own)


def test_an_app_is_a_part_of_a_section(reader: Client) -> None:
    assert reader.get("/admin/bookings/").headers["Location"] == "/admin/#diaries"
    assert reader.get("/admin/nothing/").status_code == 404
    assert Client().get("/admin/bookings/").headers["Location"].startswith("/admin/login/")


def test_no_title_is_an_id_and_every_field_has_its_words(world: World, reader: Client) -> None:
    faults: list[str] = []
    for page, row in rows_by_page(world):
        shown: Any = html.fromstring(reader.get(f"{address_of(page)}{row.pk}/change/").content)
        titles = shown.xpath("//title | //h1 | //div[@id='content']/h2 | //div[@class='breadcrumbs']")
        faults += [f"{page}: {each.text_content()}" for each in titles if GUID.search(each.text_content())]
        if page.model is CatalogueImport:
            continue  # Pages of its own: tests/integration/directory/test_catalogue_admin.py.
        faults += [f"{page}: {each}" for each in unexplained(shown)]
    assert not faults, "\n".join(faults)


def unexplained(shown: Any) -> Iterator[str]:
    """Labels of a form without help, and what is wrong with its fieldsets."""
    sets = shown.xpath("//fieldset[contains(@class, 'module')][not(ancestor::*[contains(@class, 'inline')])]")
    if not sets:
        yield "no fieldsets"
    for each in sets:
        rows = each.xpath(".//div[contains(@class, 'form-row')]")
        if len(rows) > 10:
            yield f"{len(rows)} fields in one fieldset"
        for row in rows:
            label = " ".join(row.xpath(".//label|.//legend")[0].text_content().split()).rstrip(":")
            helped = row.xpath(".//*[contains(@class, 'help')]") or each.xpath(".//*[@class='description']")
            if label not in PLAIN and not helped:
                yield label


def test_a_form_has_all_that_may_be_typed(world: World, rf: RequestFactory) -> None:
    """Nothing that may be changed is left out of the fieldsets."""
    request = rf.get("/admin/")
    request.user = world.person(*Role, at_home=True)
    type(request.user).objects.filter(pk=request.user.pk).update(is_superuser=True)
    request.user.refresh_from_db()
    for page, row in rows_by_page(world):
        sets = page.get_fieldsets(request, row)
        told = [name for _, each in sets for name in each["fields"]]
        assert len(told) == len(set(told)), page
        form = getattr(page.form, "_meta", None)
        if form is not None and form.fields and form.fields != "__all__":
            assert set(form.fields) <= set(told), page


def test_no_list_begins_with_an_id(world: World, reader: Client) -> None:
    faults = []
    for page in PAGES:
        shown: Any = html.fromstring(reader.get(address_of(page)).content)
        links = shown.xpath("//table[@id='result_list']/tbody/tr//th//a | //table[@id='result_list']//td//a")
        faults += [f"{page}: {each.text_content()}" for each in links if GUID.search(each.text_content())]
        if shown.xpath("//h1")[0].text_content() != page.list_title:
            faults.append(f"{page}: headed otherwise")
        if page.search_fields and not shown.xpath("//*[@id='searchbar_helptext']"):
            faults.append(f"{page}: does not say what it finds")
    assert not faults, "\n".join(faults)


# What is typed into the search of each list: attributes of the row. "patient": by who they are.
SEARCHES = {
    "bookings.booking": ("patient", "reference", "pk"),
    "bookings.schedule": ("name", "service.name", "service.service_id"),
    "bookings.slot": ("schedule.name", "service.name", "service.service_id"),
    "directory.healthcareservice": ("name", "service_id", "postcode"),
    "directory.endpoint": ("name", "address", "service.name"),
    "directory.accessrule": ("name", "software", "service.service_id"),
    "directory.catalogueimport": ("name", "actor_label"),
    "directory.servicecapability": ("service.name", "service.service_id"),
    "directory.capabilitychange": ("service.name", "service.service_id"),
    "referrals.referral": ("patient", "reference", "pk"),
    "referrals.validationcase": ("patient", "reference", "pk"),
    "referrals.unmatchedreply": ("patient", "answers_bundle_id", "pk"),
    "referrals.breachrule": ("service.name", "service.service_id"),
    "referrals.listedcode": (),
    "exchange.inboundmessage": ("request_id", "correlation_id", "bundle_id"),
    "exchange.outboundmessage": ("request_id", "correlation_id", "bundle_id"),
    "exchange.partnercircuit": ("service_id",),
    "api.application": ("name", "client_id"),
    "api.webhook": ("url", "application.name"),
    "api.webhookdelivery": ("pk", "webhook.url"),
    "accounts.user": ("last_name", "username"),
    "accounts.organisation": ("name", "ods_code"),
    "audit.auditevent": ("actor_label", "subject_id"),
    "patients.patient": ("patient", "pk"),
    "patients.journey": ("patient", "correlation_id"),
}


def test_every_list_is_searched_by_what_it_says(world: World, reader: Client, rf: RequestFactory) -> None:
    assert set(SEARCHES) == {page.opts.label_lower for page in PAGES}
    request, faults, typed = (
        rf.get("/admin/"),
        [],
        cycle(("Ada Quill", "9449306621", "quill", "944 930 6621")),
    )
    for page, row in rows_by_page(world):
        for path in SEARCHES[page.opts.label_lower]:
            if path == "patient":
                found = reader.post(address_of(page), {"find": next(typed)}, follow=True)
                assert re.fullmatch("record=[0-9a-f-]{36}", found.request["QUERY_STRING"]), (
                    "and not who it is"
                )
                rows = found.context["cl"].result_list
            else:
                rows, _ = page.get_search_results(request, page.model.objects.all(), str(read(row, path)))
            if row.pk not in [each.pk for each in rows]:
                faults.append(f"{page}: {path}")
    assert not faults, "\n".join(faults)


def test_a_reference_is_searched_for_by_the_same_box(world: World, reader: Client) -> None:
    found = reader.post("/admin/bookings/booking/", {"find": f" {MARK}-2 "}, follow=True)
    assert found.request["QUERY_STRING"] == f"q={MARK}-2"
    assert [each.reference for each in found.context["cl"].result_list] == [f"{MARK}-2"]
    for nothing in ("", "\x00", "  ", "12345"):
        assert reader.post("/admin/bookings/booking/", {"find": nothing}).headers["Location"].endswith("/")


def read(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = getattr(row, name)
    return row


def test_a_search_for_a_patient_is_on_the_trail_without_what_was_typed(world: World, reader: Client) -> None:
    reader.post("/admin/bookings/booking/", {"find": "Ada Quill"})
    reader.post("/admin/bookings/booking/", {"find": "9434765919"})
    events = list(AuditEvent.objects.filter(action="patients.find").order_by("id"))
    assert [each.detail for each in events] == [
        {"of": "booking", "by": "name", "found": 1},
        {"of": "booking", "by": "number", "found": 0},
    ]
    assert (events[0].subject_type, events[1].subject_type) == ("patients.patient", "")
    assert events[0].organisation_id == world.owner.pk


def test_who_may_not_know_patients_does_not_search_for_them(world: World) -> None:
    """Nor by the address of somebody else's search, nor in another organisation."""
    patient = make_patient(organisation=world.owner)
    installer, elsewhere = world.client(Role.INSTALLER, at_home=True), world.client(Role.AUDITOR)
    assert installer.post("/admin/bookings/booking/", {"find": "Quill"}).status_code == 403
    found = elsewhere.post("/admin/patients/patient/", {"find": "Quill"}, follow=True)
    assert "Nothing is found" in found.content.decode()
    listed = elsewhere.get("/admin/patients/patient/", {"record": str(patient.pk)})
    assert list(listed.context["cl"].result_list) == []


def test_several_people_of_one_name_are_told_apart(world: World, reader: Client) -> None:
    born = date(1950, 2, 1)
    told = replace(
        DETAILS, given_names="Bernard", birth_date=born, nhs_number="9434765919", postcode="LS2 9JT"
    )
    other = make_patient(organisation=world.owner, details=told)
    page = reader.post("/admin/patients/patient/", {"find": "Quill"}).content.decode()
    assert "Which patient?" in page
    assert "1 February 1950" in page
    assert f"?record={other.pk}" in page
    listed = reader.get("/admin/patients/patient/", {"record": str(other.pk)}).context["cl"]
    assert [each.pk for each in listed.result_list] == [other.pk]


def test_every_action_asks_first(world: World, reader: Client) -> None:
    """And says of each row what becomes of it; only the yes to what was shown does it."""
    faults = []
    for page, row in rows_by_page(world):
        for name in page.actions or ():
            deeds = AuditEvent.objects.exclude(action__contains=".view_")
            before, chosen = deeds.count(), {"action": name, "_selected_action": [str(row.pk)]}
            asked = reader.post(address_of(page), chosen)
            context = asked.context or {}
            if "seal" not in context or not all(words for _, words in context["rows"]):
                faults.append(f"{page}.{name} does not ask")
            again = reader.post(address_of(page), {**chosen, "confirmed": "x"})
            if "Something changed since you looked" not in again.content.decode():
                faults.append(f"{page}.{name} takes any yes")
            if deeds.count() != before:
                faults.append(f"{page}.{name} does it unasked")
    assert not faults, "\n".join(faults)


def test_a_yes_to_what_is_no_longer_so_does_nothing(world: World, reader: Client) -> None:
    slot = Slot.objects.get()
    Slot.objects.filter(pk=slot.pk).update(status=SlotStatus.FREE)
    chosen = {"action": "block", "_selected_action": [str(slot.pk)]}
    seal = reader.post("/admin/bookings/slot/", chosen).context["seal"]
    Slot.objects.filter(pk=slot.pk).update(status=SlotStatus.BUSY_UNAVAILABLE)
    again = reader.post("/admin/bookings/slot/", {**chosen, "confirmed": seal})
    assert again.context["counts"] == [("stays blocked", 1)]
    assert not AuditEvent.objects.filter(action="bookings.block_slots").exists()


def test_where_nothing_would_change_no_yes_is_offered(world: World, reader: Client) -> None:
    """Beside a row that changes, it is."""
    free, blocked = Slot.objects.get(), Slot.objects.get()
    Slot.objects.filter(pk=free.pk).update(status=SlotStatus.FREE)
    blocked.pk, blocked.status = None, SlotStatus.BUSY_UNAVAILABLE
    blocked.start, blocked.end = free.end, free.end + (free.end - free.start)
    blocked.save(force_insert=True)

    def asked(*rows: Slot) -> str:
        chosen = {"action": "block", "_selected_action": [str(each.pk) for each in rows]}
        return str(reader.post("/admin/bookings/slot/", chosen).content.decode())

    assert "Yes: Block the chosen slots" in asked(free, blocked)
    assert "Yes:" not in asked(blocked)
    assert "There is nothing to do" in asked(blocked)
    carry_out(reader, "/admin/bookings/schedule/", "make_two_weeks", [free.schedule_id])
    chosen = {"action": "make_two_weeks", "_selected_action": [str(free.schedule_id)]}
    again = reader.post("/admin/bookings/schedule/", chosen)
    assert "Yes:" not in again.content.decode()
    assert again.context["counts"][0][0].startswith("stays as it is: it has the slots of its pattern")


@pytest.mark.parametrize("asked", ["\x00", "Ada\x00", "\x00Quill"])
def test_a_search_for_what_no_text_can_hold_finds_nothing(world: World, reader: Client, asked: str) -> None:
    for page in PAGES:
        if page.get_search_fields(None):  # type: ignore[arg-type]  # none of ours looks at the request
            listed = reader.get(address_of(page), {"q": asked})
            assert listed.status_code == 200
            assert list(listed.context["cl"].result_list) == [], page


def test_what_is_foreseen_is_what_is_made(world: World, reader: Client) -> None:
    schedule = Schedule.objects.get()
    chosen = {"action": "make_two_weeks", "_selected_action": [str(schedule.pk)]}
    ((words, _),) = reader.post("/admin/bookings/schedule/", chosen).context["counts"]
    before = Slot.objects.count()
    carry_out(reader, "/admin/bookings/schedule/", "make_two_weeks", [schedule.pk])
    made = Slot.objects.count() - before
    assert made > 0
    assert words.startswith(f"gets {made} new slots")


def test_more_than_can_be_read_is_not_carried_out(
    world: World, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bars_portal.audit.staff_lists.MOST_AT_ONCE", 0)
    slot = Slot.objects.get()
    told = carry_out(reader, "/admin/bookings/slot/", "block", [slot.pk]).content.decode()
    assert "Choose at most 0 at a time" in told


def test_days_are_those_of_a_london_clock(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the night in which the clocks go back."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 10, 24, 23, 30, tzinfo=UTC))
    request, page = rf.get("/admin/"), admin.site.get_model_admin(Slot)
    request.user = AnonymousUser()
    days = DaysFilter(Slot._meta.get_field("start"), request, {}, Slot, page, "start")
    links: dict[str, list[Any]] = {str(words): list(span.values()) for words, span in days.links}
    assert [each.isoformat() for each in links["Today"]] == [
        "2026-10-25T00:00:00+01:00",
        "2026-10-26T00:00:00+00:00",
    ]
    assert [each.isoformat() for each in links["Next 7 days"]][1] == "2026-11-01T00:00:00+00:00"
    assert [each.date().isoformat() for each in links["This week"]] == ["2026-10-19", "2026-10-26"]
    assert [each.date().isoformat() for each in links["Tomorrow"]] == ["2026-10-26", "2026-10-27"]


def test_a_long_message_stands_behind_its_heading(world: World, reader: Client) -> None:
    for page, row in rows_by_page(world):
        if page.opts.app_label == "exchange" and page.opts.model_name != "partnercircuit":
            shown: Any = html.fromstring(reader.get(f"{address_of(page)}{row.pk}/change/").content)
            for each in shown.xpath("//pre"):
                assert each.xpath("ancestor::details[not(@open)]"), page
            assert MARK not in shown.xpath("string(//title)")
