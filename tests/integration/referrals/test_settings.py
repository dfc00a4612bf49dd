"""Code lists and breach rules: what staff set up, and what follows from it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from referrals.cases.codes import PUBLISHED, CodeRow, ListName, lists_from
from referrals.cases.settings import BreachRule, ListedCode, offered_codes
from referrals.cases.states import Category
from referrals.receiving.selectors import minutes_by_rule
from tests.factories.accounts import add_membership, make_user
from tests.factories.referrals import make_hub
from tests.integration.referrals.sending import make_desk, theirs

pytestmark = pytest.mark.django_db
BACKEND = "bars_portal.accounts.acting.RoleBackend"
DX = "https://fhir.nhs.uk/CodeSystem/pathways-dx-codes"


def write(folder: Path, *rows: str) -> str:
    file = folder / "codes.csv"
    file.write_text("\n".join(("list,system,code,display", *rows)), encoding="utf-8")
    return str(file)


def test_the_published_codes_are_there_from_the_start() -> None:
    assert lists_from(offered_codes()) == PUBLISHED


def test_a_file_is_imported_and_repeated(tmp_path: Path) -> None:
    file = write(tmp_path, f"outcomes,{DX},Dx0122,Ambulance now", f"outcomes,{DX},Dx9,See a dentist")
    for _ in range(2):
        call_command("import_codes", file)
    words = lists_from(offered_codes(ListName.OUTCOMES))[ListName.OUTCOMES].by_words
    assert (words["dx0122"].display, words["dx9"].display) == ("Ambulance now", "See a dentist")
    assert len(offered_codes(ListName.OUTCOMES)) == 16
    assert AuditEvent.objects.filter(action="referrals.import_codes").count() == 2


def test_what_the_file_has_not_is_withdrawn_when_asked(tmp_path: Path) -> None:
    call_command("import_codes", write(tmp_path, f"outcomes,{DX},Dx9,See a dentist"), "--replace")
    assert [row.code for row in offered_codes(ListName.OUTCOMES)] == ["Dx9"]
    assert len(offered_codes(ListName.ADJUSTMENTS)) == 114
    assert ListedCode.objects.filter(list_name=ListName.OUTCOMES).count() == 16


@pytest.mark.parametrize("bad", [True, False], ids=["faults", "dry run"])
def test_nothing_is_written(tmp_path: Path, bad: bool) -> None:
    rows = [f"outcomes,{DX},Dx9,See a dentist", *([f"outcomes,{DX},,x"] if bad else [])]
    before = set(offered_codes())
    if bad:
        with pytest.raises(CommandError, match="Line 3: the column code is empty"):
            call_command("import_codes", write(tmp_path, *rows))
    else:
        call_command("import_codes", write(tmp_path, *rows), "--dry-run", "--replace")
    assert set(offered_codes()) == before


@pytest.mark.parametrize(
    ("priority", "own", "minutes"),
    [("C2", True, 10), ("C3", True, 20), ("C2", False, 30), ("C3", False, 40), ("", False, 40)],
    ids=["service and priority", "service", "priority", "any", "no priority"],
)
def test_the_rule_that_says_most_counts(priority: str, own: bool, minutes: int) -> None:
    service, other = make_hub(), make_hub(service_id="2000000077")
    for at, code, amount in ((service, "C2", 10), (service, "", 20), (None, "C2", 30), (None, "", 40)):
        BreachRule.objects.create(service=at, priority=code, minutes=amount)
    asked = service if own else other
    assert minutes_by_rule(asked, Category.VALIDATION, priority) == minutes
    assert minutes_by_rule(asked, Category.REFERRAL, priority) is None


def test_a_received_request_without_a_time_is_due_by_rule() -> None:
    desk = make_desk()
    BreachRule.objects.create(category=Category.REFERRAL, priority="C3", minutes=90)
    silent, timed = desk.sent(time_frame=None), desk.sent()
    held = theirs(silent)
    assert (silent.breach_at, held.breach_at) == (None, held.created_at + timedelta(minutes=90))
    assert theirs(timed).breach_at == timed.breach_at


@pytest.mark.parametrize(
    ("role", "code_is_kept", "rules"),
    [
        (Role.MANAGER, False, ["own"]),
        (Role.INSTALLER, True, ["every"]),
        (Role.AUDITOR, False, []),
        (Role.CLINICIAN, False, []),
    ],
    ids=str,
)
def test_managers_set_up_their_services_and_one_role_what_is_shared(
    client: Client, role: Role, code_is_kept: bool, rules: list[str]
) -> None:
    service, foreign = make_hub(hosted=True), make_hub(service_id="2000000077", hosted=True)
    client.force_login(make_user(role=role, organisation=service.provider), backend=BACKEND)
    code = {"list_name": "outcomes", "system": DX, "code": "Dx9", "display": "See a dentist", "offered": "on"}
    client.post(reverse("admin:referrals_listedcode_add"), code)
    assert ListedCode.objects.filter(code="Dx9").exists() is code_is_kept
    for each in (service.pk, foreign.pk, ""):
        rule = {"service": each, "category": "validation", "priority": "C3", "minutes": "60"}
        client.post(reverse("admin:referrals_breachrule_add"), rule)
    named = {service.pk: "own", foreign.pk: "foreign", None: "every"}
    assert [named[each.service_id] for each in BreachRule.objects.all()] == rules
    saved = AuditEvent.objects.filter(action__startswith="referrals.save_")
    assert saved.count() == code_is_kept + len(rules)


@pytest.mark.parametrize(("role", "status"), [(Role.MANAGER, 403), (Role.INSTALLER, 302)], ids=str)
def test_a_rule_for_every_service_is_changed_by_who_keeps_what_is_shared(
    client: Client, role: Role, status: int
) -> None:
    rule = BreachRule.objects.create(service=None, minutes=5)
    client.force_login(make_user(role=role), backend=BACKEND)
    address = reverse("admin:referrals_breachrule_change", args=[rule.pk])
    answer = client.post(address, {"service": "", "category": "validation", "priority": "", "minutes": "60"})
    assert answer.status_code == status


def test_reading_everything_is_no_right_to_set_up_everything(client: Client) -> None:
    """A manager who is an auditor too."""
    service, foreign = make_hub(hosted=True), make_hub(service_id="2000000077", hosted=True)
    person = make_user(role=Role.MANAGER, organisation=service.provider)
    add_membership(person, service.provider, Role.AUDITOR)
    client.force_login(person, backend=BACKEND)
    for each in (foreign.pk, "", service.pk):
        rule = {"service": each, "category": "validation", "priority": "C3", "minutes": "60"}
        client.post(reverse("admin:referrals_breachrule_add"), rule)
    assert [each.service_id for each in BreachRule.objects.all()] == [service.pk]
    theirs = BreachRule.objects.create(service=foreign, minutes=5)
    for page, form in (("change", {"minutes": "60", "category": "validation"}), ("delete", {"post": "yes"})):
        address = reverse(f"admin:referrals_breachrule_{page}", args=[theirs.pk])
        assert client.post(address, form).status_code == 404
    theirs.refresh_from_db()
    assert theirs.minutes == 5


def test_a_rule_is_removed_with_its_event(client: Client) -> None:
    service = make_hub(hosted=True)
    client.force_login(make_user(role=Role.MANAGER, organisation=service.provider), backend=BACKEND)
    rule = BreachRule.objects.create(service=service, minutes=5)
    client.post(reverse("admin:referrals_breachrule_delete", args=[rule.pk]), {"post": "yes"})
    assert not BreachRule.objects.exists()
    assert AuditEvent.objects.filter(action="referrals.remove_breachrule").exists()


def test_codes_are_offered_as_they_are_listed() -> None:
    ListedCode.objects.filter(list_name=ListName.TASKS).update(offered=False)
    ListedCode.objects.create(list_name=ListName.TASKS, system=DX, code="T1", display="Look at the ear")
    assert offered_codes(ListName.TASKS) == [CodeRow("tasks", DX, "T1", "Look at the ear")]
