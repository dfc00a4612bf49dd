"""Demo data: a second run changes nothing but the rolled-forward slots."""

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bars_portal.accounts.cis2.issuer import configured
from bars_portal.accounts.models import Cis2Identity, Membership, Organisation, User
from bars_portal.api.models import Application
from bars_portal.api.operations import STATABLE, Scope
from bars_portal.api.services import create_application, new_application, set_secret
from bars_portal.audit.actor import SYSTEM
from bars_portal.demo import facts
from bars_portal.demo.setup import ensure_api_secret
from bars_portal.settings.environment import VAR
from bookings.models import Schedule
from bookings.services.diaries import generate_slots
from directory.models import Endpoint, HealthcareService, Postcode

_LONDON = ZoneInfo("Europe/London")
# For people to read: the simulator's own catalogue routes the messages.
_OWN_RECEIVER = "https://localhost:8443/FHIR/R4"
_PLAYED_BY_SIMULATOR = "https://simulator.example.invalid/tkw"
_DAILY = {day: [["08:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def seed(*, now: datetime) -> int:
    """Make what is missing; returns how many slots were made."""
    organisations = {
        ods: Organisation.objects.get_or_create(ods_code=ods, defaults={"name": name})[0]
        for ods, name in (
            (facts.SENDER_ODS, facts.SENDER_NAME),
            (facts.HOST_ODS, facts.HOST_NAME),
            (facts.TKW_ODS, facts.TKW_NAME),
        )
    }
    for person in facts.USERS:
        ensure_user(person, organisations)
    for ods, client_id, name in (
        (facts.SENDER_ODS, facts.API_CLIENT_ID, facts.API_CLIENT_NAME),
        (facts.HOST_ODS, facts.HOST_API_CLIENT_ID, facts.HOST_API_CLIENT_NAME),
    ):
        _ensure_application(organisations[ods], client_id, name, now)
    _load_postcodes()
    schedules = [ensure_service(service, organisations[service.ods_code]) for service in facts.SERVICES]
    first_day = now.astimezone(_LONDON).date()
    return sum(
        generate_slots(schedule=schedule, first_day=first_day, days=facts.SLOT_DAYS, now=now)
        for schedule in schedules
        if schedule is not None
    )


def ensure_user(person: facts.DemoUser, organisations: dict[str, Organisation]) -> None:
    code, words = person.snomed_role
    named = {"first_name": person.first_name, "last_name": person.last_name}
    user, made = User.objects.get_or_create(
        username=person.username, defaults={**named, "role_code": code, "role_display": words}
    )
    if made:
        user.set_password(facts.PASSWORD)
        user.save()
    _link_cis2(user, person)
    for ods_code in person.ods_codes:
        Membership.objects.get_or_create(user=user, organisation=organisations[ods_code], role=person.role)


def _ensure_application(organisation: Organisation, client_id: str, name: str, now: datetime) -> None:
    found = Application.objects.filter(account__username=client_id).first()
    if found is None:
        wanted = new_application(
            organisation,
            User.objects.get(username="engineer"),
            name,
            scopes=[each.value for each in Scope],
            roles=[each.value for each in STATABLE],
        )
        found = create_application(application=wanted, actor=SYSTEM, now=now, client_id=client_id)
    set_secret(application=found, secret=ensure_api_secret(VAR, client_id), actor=SYSTEM, now=now)


def _link_cis2(user: User, person: facts.DemoUser) -> None:
    """The issuer's address has the simulator's port in it: it may be another one than last time."""
    config = configured()
    if config is not None:
        Cis2Identity.objects.update_or_create(
            user=user, subject=person.cis2_subject, defaults={"issuer": config.issuer}
        )


def ensure_service(facts_of: facts.DemoService, provider: Organisation) -> Schedule | None:
    """With its endpoint; its diary where it takes bookings here."""
    service, _ = HealthcareService.objects.get_or_create(
        service_id=facts_of.service_id,
        defaults={
            "name": facts_of.name,
            "service_type": facts_of.service_type,
            "provider": provider,
            "hosted": facts_of.hosted,
            "address_lines": facts.ADDRESS_LINES,
            "postcode": facts.POSTCODE,
            "phone": "0113 496 0000",
            "accepted_use_cases": list(facts_of.use_cases),
            "takes_bookings": facts_of.takes_bookings,
            "takes_referrals": facts_of.takes_referrals,
            "opening_hours": _DAILY,
        },
    )
    Endpoint.objects.get_or_create(
        service=service,
        defaults={
            "name": f"{facts_of.name}: BaRS",
            "address": _OWN_RECEIVER if facts_of.hosted else _PLAYED_BY_SIMULATOR,
            "managing_organisation": provider,
        },
    )
    if not (facts_of.hosted and facts_of.takes_bookings):
        return None
    return _ensure_schedule(service, facts_of)


def _ensure_schedule(service: HealthcareService, facts_of: facts.DemoService) -> Schedule:
    title, given, family, gender = facts_of.practitioner or ("", "", "", "")
    own = Schedule.objects.filter(service=service)
    # Somebody may have made a clinic of it since, with another name.
    return (
        own.filter(name="Main diary").first()
        or own.first()
        or Schedule.objects.create(
            service=service,
            name="Main diary",
            practitioner_prefix=title,
            practitioner_given=given,
            practitioner_family=family,
            practitioner_gender=gender,
            practitioner_role_code="doctor" if family else "",
            practitioner_role="Doctor" if family else "",
            delivery_channel="In-person" if family else "",
            location_name=f"{facts_of.name}, reception",
        )
    )


def _load_postcodes() -> None:
    """The demo's own small table; real ones come with `manage.py import_postcodes`."""
    if Postcode.objects.exists():
        return
    with (Path(__file__).parent / "postcodes.csv").open(newline="") as file:
        rows = [
            Postcode(
                code=row["pcds"].replace(" ", ""), latitude=float(row["lat"]), longitude=float(row["long"])
            )
            for row in csv.DictReader(file)
        ]
    Postcode.objects.bulk_create(rows, ignore_conflicts=True)
