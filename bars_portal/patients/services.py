"""The only writers of patients and journeys. All run inside the caller's transaction."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.patients.details import ContactDetails, PatientDetails
from bars_portal.patients.models import Contact, Journey, Patient
from bars_portal.patients.selectors import find_journey
from bars_portal.sql import insert, insert_unless_there
from bars_portal.values import name_key


def open_journey(
    *,
    organisation: Organisation,
    now: datetime,
    correlation_id: UUID | None = None,
    journey_id: UUID | None = None,
    is_surely_new: bool = False,
) -> Journey:
    """The organisation's journey with these ids, made when there is none; the database settles races.

    Without ids a case of our own begins and gets both. With a correlation id only (a received booking) the
    journey id stays empty until a later message of the conversation names it. What `is_surely_new` is written
    with the rest of `together()`, without a look; when it is not new after all, that raises IntegrityError.
    """
    ours = correlation_id is None and journey_id is None
    wanted = Journey(
        organisation=organisation,
        correlation_id=correlation_id or uuid4(),
        journey_id=uuid4() if ours else journey_id,
        created_at=now,
    )
    if is_surely_new:
        insert(wanted)
        return wanted
    if insert_unless_there(wanted):
        return wanted
    journey = find_journey(organisation, wanted.correlation_id, wanted.journey_id)
    return _learn_journey_id(journey, journey_id) if journey_id else journey


def _learn_journey_id(journey: Journey, journey_id: UUID) -> Journey:
    """Fill an empty journey id; when another row of the case was first to have it, that row is the case."""
    if journey.journey_id is not None:
        return journey
    try:
        with transaction.atomic():
            Journey.objects.filter(pk=journey.pk, journey_id=None).update(journey_id=journey_id)
    except IntegrityError:
        # Committed by somebody else since we looked.
        pass
    return find_journey(journey.organisation, journey.correlation_id, journey_id)


# In what an incoming message has its number traced: the standard lets it say no more.
BY_MESSAGE = "As the sender's message says"


def create_patient(
    *,
    details: PatientDetails,
    organisation: Organisation,
    journey: Journey,
    now: datetime,
    declared_by: Actor,
    by_message: bool = False,
) -> Patient:
    """Store a patient with the contacts in rank order. Raises nothing of its own: everything is optional.

    The NHS number counts as verified only by a declaration of where it was traced, which a person makes
    (`details.traced_in`, an audit event of its own) or a message (`by_message`; its receipt is on the trail).
    """
    source = BY_MESSAGE if by_message else details.traced_in
    verified = bool(details.nhs_number and details.nhs_number_verified and source)
    patient = Patient(
        organisation=organisation,
        journey=journey,
        nhs_number=details.nhs_number,
        nhs_number_verified=verified,
        traced_in=source if verified else "",
        traced_by=declared_by.label[:200] if verified else "",
        traced_at=now if verified else None,
        prefix=details.prefix,
        given_names=details.given_names,
        family_name=details.family_name,
        gender=details.gender,
        birth_date=details.birth_date,
        birth_partly=details.birth_partly,
        died=details.died,
        other_numbers=[asdict(each) for each in details.other_numbers],
        name_key=name_key(f"{details.given_names} {details.family_name}"),
        address_lines=list(details.address_lines),
        postcode=details.postcode,
        address_use=details.address_use,
        language=details.language,
        ethnic_category=details.ethnic_category,
        city=details.city,
        district=details.district,
        practice_code=details.practice_code,
        practice_name=details.practice_name,
        local_number=details.local_number,
        local_number_system=details.local_number_system,
        created_at=now,
    )
    contacts = (_contact(patient, rank, contact) for rank, contact in enumerate(details.contacts, start=1))
    insert(patient, *contacts)
    if verified and not by_message:
        detail = {"source": source}
        record(actor=declared_by, action="patients.declare_traced", subject=patient, detail=detail, now=now)
    return patient


def _contact(patient: Patient, rank: int, contact: ContactDetails) -> Contact:
    telecom = [
        {"system": each.system, "value": each.value, "use": each.use, "rank": place}
        for place, each in enumerate(contact.telecoms, start=1)
    ]
    return Contact(
        patient=patient,
        rank=rank,
        relationship=contact.relationship,
        relationship_text=contact.relationship_text,
        given_names=contact.given_names,
        family_name=contact.family_name,
        gender=contact.gender,
        telecom=telecom,
    )
