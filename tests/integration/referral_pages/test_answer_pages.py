"""Answers given at the pages: what is asked first, what is sent, and that it is sent once."""

import re
from datetime import UTC, datetime, timedelta
from html import escape

import pytest
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.exchange.models import OutboundMessage
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.selectors import changes_of, notes_of, replies_of, responses_of
from referrals.cases.states import CaseStatus
from referrals.responding.outcome_form import standing_warnings
from tests.integration.bookings.loopback import refusing, timeout
from tests.integration.referral_pages.conftest import Office, words
from tests.integration.referrals.official import later

OUTCOME = {
    "disposition": "hear-and-treat",
    "priority": "C5",
    "narrative": "Spoke to the caller; no red flags.",
    "triage_1": "Dx335",
}
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
MISSED = {
    "day-day": str(YESTERDAY.day),
    "day-month": str(YESTERDAY.month),
    "day-year": str(YESTERDAY.year),
    "start": "10:00",
    "end": "10:15",
    "concern": "yes",
    "safeguarding": "U",
    "safeguarding_words": "Alone with two small children",
}
REJECT = {"reason": "OTH", "words": "Not our area"}


def status_of(case: Case) -> CaseStatus:
    case.refresh_from_db()
    return CaseStatus(case.status)


def test_a_validation_is_started_and_completed(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    page = words(office.client.get(office.page(case)))
    assert "Start working on it" in page
    assert "The patient did not attend" not in page
    assert "You have started on this case." in words(office.press("start", case))
    office.desk.deliver()
    assert "in progress" in words(office.asking.get(office.sent_page())).lower()

    checked = office.press("outcome", case, **OUTCOME)
    assert "Check your answer" in words(checked)
    assert "No ambulance is needed: advice was given by telephone" in words(checked)
    assert status_of(case) == CaseStatus.IN_PROGRESS, "nothing is sent before the check"
    office.pressed("outcome", case, **OUTCOME, send="yes")
    office.desk.deliver()

    assert status_of(case) == CaseStatus.COMPLETED
    told = words(office.asking.get(office.sent_page()))
    assert "No ambulance is needed" in told
    assert "Category 5: no ambulance" in told
    assert "was not asked" not in told


def test_the_categories_say_what_they_change(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    case.priority = "C3"
    case.save(update_fields=["priority"])
    page = words(office.client.get(reverse("referrals:outcome", args=[case.pk])))
    form = page.partition("How urgent is it?")[2]
    for category, change in (
        ("Category 2", "Raised"),
        ("Category 3", "As it is now"),
        ("Category 5", "Lowered"),
    ):
        assert change in form.partition(category)[2][:250]


def test_the_symptoms_that_were_asked_about_need_not_be_typed_again(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    form = words(office.client.get(reverse("referrals:outcome", args=[case.pk])))
    fields = dict(re.findall(r'name="(triage_[123])"[^>]*? value="([^"]*)"', form))
    assert fields["triage_1"] == "", "what it came to is for the assessor to say"
    assert "SG1137" in fields["triage_2"]
    assert "SD4033" in fields["triage_3"]


def test_a_corrected_outcome_is_sent_once(office: Office) -> None:
    """Both presses are possible from the same state, so only what was seen tells them apart."""
    case = office.desk.ask("VALREQ01")
    office.pressed("outcome", case, **OUTCOME, send="yes")
    office.desk.deliver()
    seen = str(changes_of(case).count())
    address = reverse("referrals:outcome", args=[case.pk])
    ambulance = {"disposition": "dispatch", "priority": "C2", "itk_asked": "on"}
    again = {**OUTCOME, **ambulance, "seen": seen, "send": "yes"}
    assert office.client.post(address, again).status_code == 302
    second = office.client.post(address, again, follow=True)
    assert "You have said this already: it counts once." in words(second)
    assert second.redirect_chain == [(office.page(case), 302)], "not a form that says that nothing was sent"
    third = office.client.post(address, {**again, "narrative": "Something else"})
    assert "This case changed while you had it open" in words(third)
    assert [each.kind for each in responses_of(case)] == ["full", "full"]


@pytest.mark.parametrize("name", ["VALREQ01", "REFREQ01"])
def test_a_second_press_changes_nothing(office: Office, name: str) -> None:
    case = office.desk.ask(name)
    seen = {"seen": str(changes_of(case).count())}
    address = reverse("referrals:start", args=[case.pk])
    for _ in range(2):
        office.client.post(address, seen)
    assert [each.event for each in changes_of(case)] == ["receive", "start"]
    assert "Somebody is working on this case already." in words(office.client.get(office.page(case)))


def test_an_update_that_came_meanwhile_is_told_first(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    seen = str(changes_of(case).count())
    update = later(office.desk.request("VALREQ01"), 5)
    header = next(
        each["resource"] for each in update["entry"] if each["resource"]["resourceType"] == "MessageHeader"
    )
    header["reason"]["coding"][0]["code"] = "update"
    update["id"] = "6d1ea3f0-6f43-4f79-9a43-0bd1a2a2f7aa"
    assert office.desk.tell(update).status == 200, "the update is taken"
    address = reverse("referrals:reject", args=[case.pk])
    first = office.client.post(address, {**REJECT, "seen": seen, "send": "yes"})
    assert "Nothing was sent yet" in words(first)
    assert "Not our area" in words(first)
    assert not responses_of(case).exists()
    found = re.search(r'name="seen" value="(\d+)"', words(first))
    assert found is not None
    now = found[1]
    assert office.client.post(address, {**REJECT, "seen": now, "send": "yes"}).status_code == 302
    assert status_of(case) == CaseStatus.REJECTED


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("reject", {}, "Select why this case is rejected"),
        ("reject", {"reason": "OTH"}, "Say in your own words why the case is rejected"),
        ("outcome", {**OUTCOME, "narrative": ""}, "Enter what was found and advised"),
        ("outcome", {**OUTCOME, "priority": ""}, "Select how urgent it is"),
        ("outcome", {**OUTCOME, "triage_1": ""}, "Enter the triage code of what it came to"),
        ("outcome", {**OUTCOME, "cad_id": "CAD-1"}, "Only category 1 and 2"),
        (
            "outcome",
            {**OUTCOME, "disposition": "dispatch", "priority": "C1"},
            "over ITK too",
        ),
        ("outcome", {**OUTCOME, "uprn": "12A"}, "UPRN must be a number"),
        ("outcome", {**OUTCOME, "eastings": "430000"}, "Northing in metres is missing"),
        ("outcome", {**OUTCOME, "latitude": "91", "longitude": "1"}, "Latitude must be from -90 to 90"),
        ("outcome", {**OUTCOME, "triage_2": "Something else"}, "Choose a triage code from the list"),
        ("outcome", {**OUTCOME, "raised": "IR"}, "Say what the new warning is about"),
    ],
)
def test_errors_keep_what_was_typed(office: Office, name: str, typed: dict[str, str], said: str) -> None:
    case = office.desk.ask("VALREQ01")
    response = office.press(name, case, **typed, send="yes")
    path = reverse(f"referrals:{name}", args=[case.pk])
    assert response.redirect_chain == [(path, 302)], "a page that the back button can show again"
    page = words(response)
    assert page.count(said) >= 2, "in the summary and at the field"
    assert all(value in page for value in typed.values())
    assert status_of(case) == CaseStatus.RECEIVED


def test_what_was_typed_is_there_again_until_it_is_sent(office: Office) -> None:
    """The back button, another page in between, a second look: nothing is lost, and nothing is left over."""
    case = office.desk.ask("VALREQ01")
    address = reverse("referrals:reject", args=[case.pk])
    office.pressed("reject", case, **REJECT)
    for page in (address, f"{address}?check=1"):
        assert "Not our area" in words(office.client.get(page))
    assert "Not our area" not in words(office.colleague().get(address)), "another person's page"
    office.pressed("reject", case, **REJECT, send="yes")
    assert "Not our area" not in str(office.client.session.items())
    assert office.client.get(f"{address}?check=1")["Location"] == office.page(case)
    back = office.client.get(f"{address}?check=1", follow=True)
    assert "This case was rejected already." in words(back)


def test_change_leads_back_to_the_form(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    page = words(office.press("reject", case, **REJECT, change="yes"))
    assert "Not our area" in page
    assert "There is a problem" not in page
    assert "Check your answer" not in page


def test_a_referral_is_accepted_and_then_the_patient_does_not_attend(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    office.pressed("accept", case)
    assert status_of(case) == CaseStatus.ACCEPTED
    checked = words(office.press("did-not-attend", case, **MISSED))
    assert "A safeguarding concern is raised" in checked
    office.pressed("did-not-attend", case, **MISSED, send="yes")
    office.desk.deliver()
    assert status_of(case) == CaseStatus.DID_NOT_ATTEND
    told = words(office.asking.get(office.sent_page()))
    assert "Safeguarding concern with this answer" in told
    assert "did not attend" in told
    reply = replies_of(office.desk.sent).get()
    whole = words(office.asking.get(reverse("referrals:case-reply", args=[office.desk.sent.pk, reply.pk])))
    assert "Alone with two small children" in whole


def test_what_nobody_is_told_of_is_said(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    checked = words(office.press("complete", case, words="Seen and discharged"))
    assert "nobody outside is told" in checked
    office.pressed("complete", case, words="Seen and discharged", send="yes")
    assert status_of(case) == CaseStatus.COMPLETED
    assert not responses_of(case).exists()


def test_only_clinicians_answer(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    clerk = office.colleague(Role.CLERK)
    assert "Only clinicians answer received cases" in words(clerk.get(office.page(case)))
    for name in ("accept", "start", "reject", "complete", "did-not-attend", "outcome", "cad-status"):
        address = reverse(f"referrals:{name}", args=[case.pk])
        assert clerk.post(address, {"seen": "1", "send": "yes"}).status_code == 403
        assert office.asking.post(address, {"seen": "1"}).status_code == 404, (
            "another organisation's clinician"
        )
    assert status_of(case) == CaseStatus.RECEIVED


def test_a_case_that_is_over_says_so(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    office.pressed("reject", case, **REJECT, send="yes")
    response = office.client.get(reverse("referrals:complete", args=[case.pk]), follow=True)
    assert "This case was rejected already." in words(response)


def test_an_answer_that_was_not_taken_is_sent_again(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    office.pressed("start", case)
    office.desk.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    office.desk.deliver()
    page = words(office.client.get(office.page(case)))
    assert "Send again" in page
    assert "For the requester this case is over" in page
    answer = CaseAnswer.objects.get()
    address = reverse("referrals:send-answer", args=[answer.pk])
    assert office.colleague(Role.CLERK).post(address).status_code == 403
    assert office.asking.post(address).status_code == 404
    for _ in range(2):
        office.client.post(address)
    office.desk.deliver()
    answer.refresh_from_db()
    assert answer.state == "delivered"
    assert OutboundMessage.objects.count() == 2


def test_an_answer_of_which_nobody_knows_is_checked(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    office.pressed("start", case)
    office.desk.network.after.append(timeout)
    office.desk.deliver()
    page = words(office.client.get(office.page(case)))
    assert "Not known whether it arrived" in page
    answer = CaseAnswer.objects.get()
    for _ in range(2):
        office.client.post(reverse("referrals:check-answer", args=[answer.pk]))
    office.desk.deliver()
    answer.refresh_from_db()
    assert (answer.state, OutboundMessage.objects.count()) == ("delivered", 1)


def test_taking_a_case_and_giving_it_back(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    take, release = (reverse(f"referrals:{name}", args=[case.pk]) for name in ("take", "release"))
    office.client.post(take, {"holder": ""})
    second = office.colleague().post(take, {"holder": ""}, follow=True)
    assert "Somebody else has taken" in words(second)
    case.refresh_from_db()
    assert case.assigned_to == office.desk.clinician.user
    office.client.post(release)
    case.refresh_from_db()
    assert case.assigned_to is None


def test_a_note_is_kept_once_and_stays_here(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    address = reverse("referrals:note", args=[case.pk])
    empty = office.client.post(address, {"text": " "})
    assert "Write something first" in words(empty)
    for _ in range(2):
        office.client.post(address, {"text": "Rang twice"})
    assert [each.text for each in notes_of(case)] == ["Rang twice"]
    assert "Rang twice" in words(office.client.get(office.page(case)))
    assert "Rang twice" not in words(office.asking.get(office.sent_page()))


def test_warnings_end_and_begin_with_the_outcome(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    standing = dict(standing_warnings(case))
    assert any(said.startswith("Scene safety: ") for said in standing.values())
    page = words(office.client.get(reverse("referrals:outcome", args=[case.pk])))
    assert all(escape(said) in page for said in standing.values())
    ended = next(iter(standing))
    changed = {"ended": ended, "raised": "IR", "raised_words": "Rash", "address": "9 Canal Wharf"}
    nowhere = words(office.press("outcome", case, **OUTCOME, **changed, send="yes"))
    assert "Enter the postcode of the address" in nowhere
    office.pressed("outcome", case, **OUTCOME, **changed, postcode="LS11 5PS", send="yes")
    content = responses_of(case).get().content
    assert content["flags_ended"] == [ended]
    assert (content["flags_raised"][0]["category"], content["flags_raised"][0]["words"]) == ("IR", "Rash")
    assert content["place"]["address_lines"] == ["9 Canal Wharf"]


def test_an_ambulance_control_tells_how_far_it_is(office: Office) -> None:
    case = office.desk.ask("REFREQ8A")
    page = words(office.client.get(office.page(case)))
    assert "Tell how far you are" in page
    said = {"status": "in-progress", "words": "Crew on its way"}
    office.pressed("cad-status", case, **said, send="yes")
    assert status_of(case) == CaseStatus.IN_PROGRESS
    assert [each.kind for each in responses_of(case)] == ["cad-status"]
    again = words(office.client.get(reverse("referrals:cad-status", args=[case.pk])))
    assert "The resource has cleared the scene" in again
    assert 'value="planned"' in again, "the way back, when a resource is called off"


def test_triage_codes_of_the_list_go_with_the_outcome(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    office.pressed("start", case)
    typed = {**OUTCOME, "triage_1": "dx335", "triage_2": "Palpitations (SG1137)", "triage_3": "DX335"}
    checked = words(office.press("outcome", case, **typed))
    assert "call the individual back immediately to assess the problem</li><li>Palpitations" in checked
    office.pressed("outcome", case, **typed, send="yes")
    office.desk.deliver()
    (reply,) = [each for each in replies_of(office.desk.sent) if each.kind == "full"]
    assert [each["code"] for each in reply.outcomes if each.get("code")] == ["C5", "Dx335", "SG1137"]
    page = words(office.asking.get(office.sent_page()))
    assert page.count("<li>Palpitations") == 1, "one line a code"
