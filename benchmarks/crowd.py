"""Rows of an organisation that has used the portal for a year, in every table that a list is made of.

They are copied within the database, from one of each kind; references lead to rows that are there, so that
lists find names beside them. Nothing of it is a patient's.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pairs import say
from stage import keys_made_last, one_processor, prepare

if TYPE_CHECKING:
    from django.db.models import Model

    from bars_portal.accounts.models import Organisation, User

# Services of the organisation itself; all others are those of others, and it sends to some of them.
OWN_SERVICES, DIARIES, PARTNERS = 40, 120, 300
# A day of a diary, in quarters of an hour from nine to six.
_QUARTERS = 36
# As many as what is only named beside a report's rows.
_FEW = 5_000
# Where the ids begin of rows that are numbered.
_FIRST = 1_000_000
_YEAR = "now() - interval '365 days' * (n::float8 / {rows})"
_NEW_ID = {"id": "gen_random_uuid()"}


def _of(letter: str, many: int | None = None) -> str:
    """The id of the n-th row of a table, or of one of so many by turns."""
    return f"md5('{letter}' || {'n' if many is None else f'n % {many} + 1'})::uuid"


def _turns(*values: str) -> str:
    quoted = ", ".join(f"'{each}'" for each in values)
    return f"(ARRAY[{quoted}])[n % {len(values)} + 1]"


_PATIENT = {"patient_id": _of("p"), "journey_id": _of("j")}
_SERVICE = {"service_id": _of("s", OWN_SERVICES)}
_PRIORITY = {"priority": _turns("2", "3", "4", "5", "6", "routine")}
_NAMED = {"reference": "'R' || n", "sender_ods_code": "'X' || n % 60", "sender_name": "'Sender ' || n % 60"}
# As wide as a request is, though TOAST keeps most of it away from the row.
_RESOURCE = {"resource": "jsonb_build_object('x', repeat(md5(n::text), 12))", "included": "NULL::jsonb"}
_CASE = {**_PATIENT, **_PRIORITY, **_NAMED, **_RESOURCE, "draft_id": "NULL::uuid", "correlation_id": _of("c")}
# One in ten is open, as much as anybody's worklist; of what waits for a person, one in a hundred.
_CASES = ("received", *("completed",) * 6, *("rejected",) * 3)
_SENT = (
    "CASE WHEN n % 100 = 0 THEN 'unknown' WHEN n % 10 = 0 THEN '{open}' WHEN n % 3 = 0 THEN '{other}'"
    " ELSE '{usual}' END"
)
_OVER = ("attended", "attended", "did-not-attend", "cancelled", "cancelled")


@dataclass(frozen=True)
class Originals:
    """One row of each kind, of which the others are copies."""

    kept: Mapping[type[Model], Any]
    sent: Any
    received: Any
    requests: list[Any]

    @classmethod
    def of(cls, organisation: Organisation) -> Originals:
        from bars_portal.correspondence.states import Direction
        from bookings.models import Booking
        from referrals.cases.states import Category
        from tests.factories.everything import make_everything
        from tests.factories.referrals import make_sent_case

        made = make_everything(organisation)
        sent, received = (
            next(each for each in made if isinstance(each, Booking) and each.direction == way)
            for way in (Direction.SENT, Direction.RECEIVED)
        )
        requests = [make_sent_case(category, organisation=organisation) for category in Category]
        return cls({type(each): each for each in made}, sent, received, requests)


def people(organisation: Organisation, rows: int) -> None:
    from bars_portal.accounts.models import BreakGlass, Membership, User
    from tests.factories.accounts import make_organisation, make_user

    person = make_user(organisation=organisation)
    named = {"first_name": "'Given ' || n % 900", "last_name": "'Family ' || n % 7000"}
    _many(make_organisation(), rows, id=f"{_FIRST} + n", ods_code="'Q' || n", name="'Trust ' || n")
    _many(person, rows, id=f"{_FIRST} + n", username="'user' || n", **named)
    (membership,) = Membership.objects.filter(user=person)
    _many(membership, rows, user_id=f"{_FIRST} + n", role=_turns("clinician", "clerk", "manager"))
    use = BreakGlass.objects.create(
        user=person, organisation=organisation, reason="On call", started_at=_now(), ends_at=_now()
    )
    _many(use, rows, user_id=f"{_FIRST} + n", started_at=_since(rows), ends_at=_since(rows), **_NEW_ID)
    _copied()
    User.objects.filter(pk=person.pk).update(is_active=False)


def directory(kept: Mapping[type[Model], Any], organisation: Organisation, rows: int) -> None:
    from directory import models

    service = kept[models.HealthcareService]
    other = f"CASE WHEN n <= {OWN_SERVICES} THEN kept.provider_id ELSE {_FIRST} + n % {rows} + 1 END"
    told = {
        "service_id": "3000000000 + n",
        "name": "'Service ' || n % 9000 || ' of place ' || n",
        "provider_id": other,
        "hosted": f"n <= {OWN_SERVICES}",
        "takes_referrals": "true",
        "postcode": "'LS' || n % 30 || ' ' || n % 10 || 'AP'",
    }
    _many(service, rows, id=_of("s"), **told)
    _many(kept[models.Endpoint], rows, service_id=_of("s"), name="'Way ' || n", **_NEW_ID)
    _many(kept[models.ServiceCapability], rows, service_id=_of("s"), read_at=_since(rows))
    _many(kept[models.CapabilityChange], rows, service_id=_of("s", 5000), noticed_at=_since(rows))
    _many(kept[models.AccessRule], rows, name="'Rule ' || n", **_SERVICE, **_NEW_ID)
    _many(kept[models.CatalogueImport], rows, read_at=_since(rows), **_NEW_ID)


def patients(kept: Mapping[type[Model], Any], rows: int) -> None:
    from bars_portal.patients.models import Journey, Patient

    ids = {"journey_id": "gen_random_uuid()", "correlation_id": _of("c")}
    _many(kept[Journey], rows, id=_of("j"), created_at=_since(rows), **ids)
    named = {"family_name": "'Family ' || n % 7000", "given_names": "'Given ' || n % 900"}
    _many(
        kept[Patient],
        rows,
        id=_of("p"),
        journey_id=_of("j"),
        nhs_number="lpad((9000000000 + n)::text, 10, '0')",
        birth_date="date '1930-01-01' + n % 30000",
        created_at=_since(rows),
        **named,
    )


def bookings(made: Originals, rows: int, *, sent: int, diaries: int, over: bool = False) -> None:
    """Received ones, as many slots around today, and those sent. `over`: every slot is of the past."""
    from bookings.models import Schedule, Slot

    # Three of each service of its own.
    other = "md5('s' || n % 4000 + 100)::uuid"
    place = f"CASE WHEN n <= {DIARIES} THEN {_of('s', OWN_SERVICES)} ELSE {other} END"
    _many(made.kept[Schedule], diaries, id=_of("d"), name="'Room ' || n", service_id=place)
    turn = f"n / {DIARIES}"
    day = f"{turn} / {_QUARTERS}"
    first = f"- ({day} + 1)" if over else f"+ ({day} - 1)"
    begins = f"date_trunc('day', now()) {first} * interval '1 day' + interval '9 hours'"
    begins = f"{begins} + {turn} % {_QUARTERS} * interval '15 minutes'"
    diary = {
        "schedule_id": _of("d", DIARIES),
        "service_id": f"md5('s' || (n % {DIARIES} + 1) % {OWN_SERVICES} + 1)::uuid",
    }
    ends = {"start": begins, "end": f"{begins} + interval '15 minutes'"}
    states = _turns("busy", "free", "busy-unavailable")
    _many(made.kept[Slot], rows, id=_of("t"), status=states, **diary, **ends)
    asked = {**_PATIENT, **_NAMED, **_RESOURCE, "included": "'[]'::jsonb", "draft_id": "NULL::uuid"}
    asked |= {"created_at": _since(rows), "start": f"{_since(rows)} + interval '9 days'"}
    # Of what waits for a person, one in a hundred, as of cases.
    status = f"CASE WHEN n % 100 = 0 THEN 'unknown' ELSE {_turns('booked', 'cancelled')} END"
    told = {"patient_told_at": _dealt_with(rows)}
    _many(made.sent, sent, status=status, service_id=_of("s", 5000), **_NEW_ID, **asked, **told)
    # One in three stands, in the slot that it keeps busy.
    stands = "n % 3 = 0"
    there = {
        "id": _of("b"),
        "service_id": diary["service_id"],
        "status": f"CASE WHEN {stands} THEN 'booked' ELSE {_turns(*_OVER)} END",
        "slot_id": f"CASE WHEN {stands} THEN {_of('t')} END",
        "start": f"CASE WHEN {stands} THEN {begins} ELSE {asked['start']} END",
    }
    _many(made.received, rows, **asked | there)


def calls(made: Originals, rows: int) -> None:
    from bookings.models import SenderCall

    call = SenderCall.objects.create(booking=made.received, message="Moved", made_at=_now())
    _many(call, rows, booking_id=_of("b"), made_at=_since(rows), closed_at=_dealt_with(rows), **_NEW_ID)


def cases(made: Originals, rows: int, *, sent: int) -> None:
    """Received ones of both categories, each answered, and those sent."""
    from referrals.cases.models import Referral, ValidationCase

    due = {"created_at": _since(rows), "breach_at": f"{_since(rows)} + interval '2 days' * (n % 9)"}
    for model, letter in ((Referral, "r"), (ValidationCase, "v")):
        stands = {"status": _turns(*_CASES), "safeguarding": "n % 20 = 0"}
        # No two took as long.
        took = f"{_since(rows)} + interval '1 hour' * (n % 90) + interval '1 microsecond' * n"
        _many(made.kept[model], rows, id=_of(letter), answered_at=took, **stands, **due, **_CASE, **_SERVICE)
    over = _SENT.format(open="accepted", other="rejected", usual="completed")
    for case in made.requests:
        place = {"id": _of(_letter_of(case)), "service_id": _of("s", PARTNERS)}
        _many(case, sent, status=over, **place, **due, **_CASE)


def _letter_of(case: Any) -> str:
    return f"{type(case).__name__}-sent"


def tasks(made: Originals, rows: int) -> None:
    """What came back to referrals of its own, and replies that fit none of them."""
    from referrals.cases.duties import Duty, DutyKind
    from referrals.cases.models import Referral, UnmatchedReply

    case = next(each for each in made.requests if isinstance(each, Referral))
    task = Duty.objects.create(
        kind=DutyKind.REJECTED.value, organisation=case.organisation, referral=case, raised_at=_now()
    )
    raised = {"referral_id": _of(_letter_of(case)), "raised_at": _since(rows)}
    _many(task, rows, closed_at=_dealt_with(rows), **raised, **_NEW_ID)
    met = {"received_at": _since(rows), "handled_at": _dealt_with(rows)}
    _many(made.kept[UnmatchedReply], rows, **met, **_PATIENT, **_SERVICE, **_NEW_ID)


def settings(kept: Mapping[type[Model], Any], rows: int) -> None:
    from referrals.cases.settings import BreachRule, ListedCode

    code = ListedCode.objects.order_by("pk")[0]
    _many(code, rows, code="(100000000 + n)::text", display="'Words ' || n")
    _many(kept[BreachRule], rows, service_id=_of("s"))


def messages(made: Originals, organisation: Organisation, rows: int, *, accepted: int) -> None:
    """Received, given up, and so many accepted; two or three messages a conversation, with sixty partners."""
    from bars_portal.exchange import models
    from tests.factories.messages import outbound

    ids = {"request_id": "gen_random_uuid()", "bundle_id": "gen_random_uuid()", "body": "''::bytea"}
    partner = "(3000000100 + n % 60)::text"
    kind = _turns("booking-new", "booking-cancelled", "referral-new", "validation-new")
    common = {**ids, "message_type": kind, "correlation_id": "md5('c' || n / 2)::uuid"}
    arrived = {"received_at": _since(rows), "completed_at": f"{_since(rows)} + interval '90 ms' * (n % 50)"}
    place = {"service_id": f"(3000000000 + n % {OWN_SERVICES} + 1)::text", "source_service_id": partner}
    inbound = made.kept[models.InboundMessage]
    _many(inbound, rows, id=_of("in"), status_code="200 + n % 2 * 222", **common, **arrived, **place)
    written = {"created_at": _since(rows), "settled_at": _since(rows), "service_id": partner}
    written["subject_id"] = f"{_of('b')}::text"
    never = "deadline/never-sent"
    for letter, state, reason, many in (("ok", "accepted", "", accepted), ("no", "abandoned", never, rows)):
        one = outbound(organisation, state=state, reason=reason)
        _many(one, many, id=_of(letter), **common, **written)
        tried = models.DeliveryAttempt.objects.create(
            message=one, number=1, started_at=_now(), outcome=state, elapsed_ms=90, status_code=200
        )
        _many(tried, many, message_id=_of(letter), elapsed_ms="n % 6000", started_at=_since(rows))


def partners(made: Originals, organisation: Organisation, rows: int) -> None:
    """What was looked at unmasked, and circuits."""
    from bars_portal.exchange import models

    inbound = made.kept[models.InboundMessage]
    unmasking = models.Unmasking.objects.create(
        organisation=organisation, user=_anybody(), inbound=inbound, reason="Asked", at=_now(), until=_now()
    )
    _many(unmasking, rows, inbound_id=_of("in"), at=_since(rows), until=_since(rows), **_NEW_ID)
    _many(made.kept[models.PartnerCircuit], rows, service_id="(3000000000 + n)::text")


def programs(kept: Mapping[type[Model], Any], rows: int) -> None:
    from bars_portal.api import models

    person = {"account_id": f"{_FIRST} + n", "owner_id": f"{_FIRST} + n"}
    _many(kept[models.Application], rows, id=_of("a"), name="'Program ' || n", **person)
    _many(kept[models.Webhook], rows, id=_of("w"), application_id=_of("a"), created_at=_since(rows))
    delivery = kept[models.WebhookDelivery]
    _many(delivery, rows, webhook_id=_of("w", 100), created_at=_since(rows), event_id="NULL::int8", **_NEW_ID)


def trail(kept: Mapping[type[Model], Any], rows: int) -> None:
    from bars_portal.audit.models import AuditEvent

    words = {"action": _turns("bookings.view_booking", "bookings.view_list", "referrals.view_worklist")}
    about = {"subject_id": _of("b"), "actor_user_id": f"{_FIRST} + n % 500 + 1"}
    _many(kept[AuditEvent], rows, at=_since(rows), correlation_id=_of("c"), **words, **about)


@contextmanager
def crowded(filled: Callable[[Organisation, int], None], rows: int) -> Iterator[dict[str, User]]:
    """People by role, and "superuser", of an organisation that has so many rows of each kind."""
    os.environ["BROKER_URL"] = "memory://"
    with prepare(process="portal", durable=False):
        from django.conf import settings
        from django.db import connection

        from bars_portal.accounts.permissions import Role
        from tests.factories.accounts import make_organisation, make_user

        logging.disable(logging.WARNING)
        settings.ALLOWED_HOSTS = ["testserver"]
        organisation, began = make_organisation(name="Riverside"), perf_counter()
        with connection.cursor() as cursor, keys_made_last(cursor):
            filled(organisation, rows)
            _copied()
            say(f"{rows:,} rows of each kind copied in {perf_counter() - began:.0f} s")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        one_processor()
        say(f"and their keys made in {perf_counter() - began:.0f} s")
        people = {each.value: make_user(role=each, organisation=organisation) for each in Role}
        people["superuser"] = make_user(role=Role.MANAGER, organisation=organisation, is_superuser=True)
        yield people


def everything(organisation: Organisation, rows: int) -> None:
    """So many rows of each list, all of this organisation where rows belong to one."""
    made = Originals.of(organisation)
    people(organisation, rows)
    directory(made.kept, organisation, rows)
    patients(made.kept, rows)
    bookings(made, rows, sent=rows, diaries=rows)
    calls(made, rows)
    cases(made, rows, sent=rows)
    tasks(made, rows)
    settings(made.kept, rows)
    messages(made, organisation, rows, accepted=rows)
    partners(made, organisation, rows)
    programs(made.kept, rows)
    trail(made.kept, rows)


def reported(organisation: Organisation, rows: int) -> None:
    """So many rows of each kind that reports count; of what they name beside them, as many as there are."""
    made = Originals.of(organisation)
    people(organisation, _FEW)
    directory(made.kept, organisation, _FEW)
    bookings(made, rows, sent=rows // 10, diaries=_FEW, over=True)
    cases(made, rows, sent=rows // 10)
    messages(made, organisation, rows, accepted=rows // 10)


# Nothing that is copied waits for another, and a machine has two processors at least.
_COPIERS = ThreadPoolExecutor(max_workers=2)
_under_way: list[Future[None]] = []


def _many(row: Any, rows: int, **columns: str) -> None:
    _under_way.append(_COPIERS.submit(_copy, row, rows, columns))


def _copy(row: Any, rows: int, columns: dict[str, str]) -> None:
    from django.db import connection, transaction

    from tests.plans import multiply

    try:
        with transaction.atomic():
            multiply(row, rows, **columns)
    finally:
        connection.close()


def _copied() -> None:
    """All that was asked for so far."""
    while _under_way:
        _under_way.pop().result()


def _since(rows: int) -> str:
    """The rows of a year, the first one last."""
    return _YEAR.format(rows=rows)


def _dealt_with(rows: int) -> str:
    return f"CASE WHEN n % 100 = 0 THEN NULL ELSE {_since(rows)} END"


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()


def _anybody() -> Any:
    from bars_portal.accounts.models import User

    return User.objects.order_by("pk")[0]
