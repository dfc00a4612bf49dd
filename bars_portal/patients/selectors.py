"""Reads of patients and journeys, always of one organisation."""

from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When

from bars_portal.accounts.models import Organisation
from bars_portal.exchange.fhir.queries.patients import Demographics
from bars_portal.patients.details import ContactDetails, OtherNumber, PatientDetails, Telecom
from bars_portal.patients.models import Contact, Journey, Patient
from bars_portal.values import asked_words, compact, is_named


def find_journey(organisation: Organisation, correlation_id: UUID, journey_id: UUID | None) -> Journey:
    """The journey with this journey id, or else with this correlation id; raises Journey.DoesNotExist."""
    known = Q(correlation_id=correlation_id)
    if journey_id is not None:
        known |= Q(journey_id=journey_id)
    # A case is its journey id: where the two ids name different rows, that one counts.
    first = Case(When(journey_id=journey_id, then=Value(0)), default=Value(1))
    found = Journey.objects.filter(known, organisation=organisation).order_by(first).first()
    if found is None:
        raise Journey.DoesNotExist
    return found


def patients_of(organisation: Organisation) -> QuerySet[Patient]:
    """Patients that the organisation may see, with their contacts."""
    return Patient.objects.filter(organisation=organisation).prefetch_related("contacts")


def patients_of_journey(journey: Journey) -> QuerySet[Patient]:
    """Newest first: the first is the one to reuse."""
    return patients_of(journey.organisation).filter(journey=journey).order_by("-created_at")


def newest_patient(journey: Journey | None) -> Patient | None:
    """Who the case is about, as last told."""
    return patients_of_journey(journey).first() if journey is not None else None


def journey_of(organisation: Organisation, journey_pk: UUID) -> Journey | None:
    return Journey.objects.filter(pk=journey_pk, organisation=organisation).first()


def details_of(patient: Patient) -> PatientDetails:
    """The stored patient as the plain details that mapping and forms speak of."""
    return PatientDetails(
        nhs_number=patient.nhs_number,
        nhs_number_verified=patient.nhs_number_verified,
        prefix=patient.prefix,
        given_names=patient.given_names,
        family_name=patient.family_name,
        gender=patient.gender,
        birth_date=patient.birth_date,
        address_lines=tuple(patient.address_lines),
        postcode=patient.postcode,
        contacts=tuple(_contact(contact) for contact in patient.contacts.all()),
        birth_partly=patient.birth_partly,
        died=patient.died,
        other_numbers=tuple(OtherNumber(**each) for each in patient.other_numbers),
        traced_in=patient.traced_in,
        address_use=patient.address_use,
        language=patient.language,
        ethnic_category=patient.ethnic_category,
        city=patient.city,
        district=patient.district,
        practice_code=patient.practice_code,
        practice_name=patient.practice_name,
        local_number=patient.local_number,
        local_number_system=patient.local_number_system,
    )


def with_number(number: str) -> Q:
    """Of rows that have a `patient`: whoever has or had this NHS number, verified (standard section 6)."""
    own = Q(patient__nhs_number=number, patient__nhs_number_verified=True)
    return own | Q(patient__other_numbers__contains=[{"value": number, "verified": True}])


def with_demographics(person: Demographics) -> Q:
    """Of rows that have a `patient`: everybody who may be meant; `is_person` decides.

    The words of the name are part of the key, which rows of an earlier version do not have.
    """
    is_whole = len(person.born) == len("1984-07-14")
    born = Q(patient__birth_date=person.born) if is_whole else Q(patient__birth_partly=person.born)
    keyed = Q(patient__postcode=person.postcode)
    for word in asked_words(person.name):
        keyed &= Q(patient__name_key__contains=word)
    return born & (keyed | Q(patient__name_key=""))


def is_person(patient: Patient, person: Demographics) -> bool:
    """The birth date and the whole postcode, and each word of the name begins one of the patient's."""
    same_place = compact(patient.postcode).upper() == compact(person.postcode)
    named = is_named(f"{patient.given_names} {patient.family_name}", person.name)
    return patient.born == person.born and same_place and named


def _contact(contact: Contact) -> ContactDetails:
    return ContactDetails(
        relationship=contact.relationship,
        given_names=contact.given_names,
        family_name=contact.family_name,
        telecoms=tuple(Telecom(each["system"], each["value"], each["use"]) for each in contact.telecom),
        relationship_text=contact.relationship_text,
        gender=contact.gender,
    )
