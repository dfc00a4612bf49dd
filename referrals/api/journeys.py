"""A journey as its timeline shows it, and whom of our patients somebody means."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from bars_portal.api.forms import object_in, schema_of, valid
from bars_portal.api.headers import conditional
from bars_portal.api.operations import Json, Operation, Scope, component, moment, object_of, optional, text
from bars_portal.api.problems import Problem
from bars_portal.api.views import ApiView
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.forms import NHSForm, NHSNumberField
from bars_portal.patients.looks.question import patients_with_number, persons_among, records_of
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import newest_patient
from bookings.api.base import is_uuid_text
from bookings.api.representation import KNOWN_PATIENT, patient_json
from referrals.cases import viewing
from referrals.cases.selectors import journey_for
from referrals.journey.entries import Entry, EntryKind, Key, Subject, subjects_of
from referrals.journey.timeline import timeline_of

_TAG = "Journeys"
_SUBJECTS = {
    "bookings.booking": "booking",
    "referrals.referral": "referral",
    "referrals.validationcase": "validation",
    "referrals.unmatchedreply": "reply",
}
_SIDE = optional(text("Our side of it; null for the journey as a whole.", enum=[*Direction]))
_SERVICE = object_of({"id": text(), "name": text()})
ABOUT = object_of(
    {
        "kind": text(enum=list(_SUBJECTS.values())),
        "id": text(format="uuid"),
        "url": optional(text("Null where the API serves no such thing.", format="uri")),
    }
)
JOURNEY = component(
    "Journey",
    object_of(
        {
            "id": text(format="uuid"),
            "url": text(format="uri"),
            "entries": {
                "type": "array",
                "description": "What happened, oldest first, as far as the caller may see it.",
                "items": object_of(
                    {
                        "at": moment(),
                        "kind": text(enum=[*EntryKind]),
                        "words": text(),
                        "detail": text(),
                        "by": text(),
                        "side": _SIDE,
                        "service": optional(_SERVICE),
                        "about": optional(ABOUT),
                    }
                ),
            },
            "patient": {
                **optional(KNOWN_PATIENT.ref),
                "description": "Null without the scope patients:read.",
            },
        }
    ),
)
KNOWN = component(
    "KnownPatients",
    object_of(
        {
            "patients": {
                "type": "array",
                "items": object_of(
                    {
                        "patient": KNOWN_PATIENT.ref,
                        "journeys": {
                            "type": "array",
                            "items": object_of(
                                {
                                    "id": text(format="uuid"),
                                    "url": text(format="uri"),
                                    "subjects": {
                                        "type": "array",
                                        "items": object_of(
                                            {
                                                **ABOUT["properties"],
                                                "side": text(enum=[*Direction]),
                                                "service": _SERVICE,
                                            }
                                        ),
                                        "description": "Bookings and cases that the caller may see.",
                                    },
                                }
                            ),
                        },
                    }
                ),
            }
        }
    ),
)


class PatientSearchForm(NHSForm):
    nhs_number = NHSNumberField()


SEARCH = component("PatientSearch", schema_of(PatientSearchForm))


class OneJourney(ApiView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-journey",
            "Everything that happened in one journey",
            None,
            {200: JOURNEY},
            description="Bookings, requests, cases and answers, as far as the token's scopes go: "
            "with none of bookings:read, referrals:read and worklist:read it is not there.",
            problems=("not-found",),
            is_conditional=True,
            tag=_TAG,
        )
    }

    def get(self, request: Request, journey_id: str) -> Response:
        found = journey_for(self.acting, UUID(journey_id)) if is_uuid_text(journey_id) else None
        own = self.caller.application.service_ids
        entries = timeline_of(self.acting, found) if found is not None else []
        told = [each for each in entries if not own or each.service_id in own]
        if found is None or not told:
            raise Problem("not-found")
        viewing.record_journey_view(journey=found, acting=self.acting, now=timezone.now())
        patient = newest_patient(found) if self.caller.sees_patients else None
        body = {
            "id": str(found.pk),
            "url": _address(request, found),
            "entries": [_entry_json(request, each) for each in told],
            "patient": patient_json(patient) if patient else None,
        }
        return conditional(request, body)


class PatientSearch(ApiView):
    """A POST that changes nothing: so no NHS number stands in an address. It needs no key."""

    operations: ClassVar[Mapping[str, Operation]] = {
        "POST": Operation(
            "search-patients",
            "Who of our patients has this NHS number, with their journeys",
            Scope.PATIENTS_READ,
            {200: KNOWN},
            description="Journeys are those that the other scopes of the token let the caller see.",
            body=SEARCH,
            example={"nhs_number": "9449306621"},
            tag=_TAG,
        )
    }

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = valid(PatientSearchForm, object_in(request.data))
        now, organisation = timezone.now(), self.acting.organisation
        persons = persons_among(patients_with_number(organisation, form.cleaned_data["nhs_number"]))
        found = [each for person in persons if (each := self._person_json(request, person)) is not None]
        record(
            actor=self.acting.actor,
            action="patients.view_known_patients",
            outcome="done" if found else "none",
            now=now,
        )
        return Response({"patients": found})

    def _person_json(self, request: Request, person: Patient) -> Json | None:
        """None where the caller may see nothing of theirs."""
        journeys = {each.journey.pk: each.journey for each in records_of(person)}
        told = [each for journey in journeys.values() if (each := self._journey_json(request, journey))]
        return {"patient": patient_json(person), "journeys": told} if told else None

    def _journey_json(self, request: Request, journey: Journey) -> Json | None:
        own = self.caller.application.service_ids
        subjects = {
            # An answer stands for its case.
            each.page: each
            for each in subjects_of(self.acting, journey).values()
            if not own or each.service_id in own
        }
        if not subjects:
            return None
        viewing.record_journey_view(journey=journey, acting=self.acting, now=timezone.now())
        return {
            "id": str(journey.pk),
            "url": _address(request, journey),
            "subjects": [_subject_json(request, key, each) for key, each in subjects.items()],
        }


def _subject_json(request: Request, key: Key, subject: Subject) -> Json:
    service = {"id": subject.service_id, "name": subject.service_name}
    return {**about_json(request, key, subject.direction), "side": subject.direction, "service": service}


def _entry_json(request: Request, entry: Entry) -> Json:
    key = (entry.subject_type, entry.subject_id)
    return {
        "at": in_london(entry.at).isoformat(),
        "kind": entry.kind.value,
        "words": entry.words,
        "detail": entry.detail,
        "by": entry.actor,
        "side": entry.direction,
        "service": {"id": entry.service_id, "name": entry.subject_name} if entry.service_id else None,
        "about": about_json(request, key, entry.direction) if entry.subject_id else None,
    }


def about_json(request: Request, key: Key, direction: Direction | None) -> Json:
    kind, subject_id = _SUBJECTS[key[0]], key[1]
    name = _SERVED.get((kind, direction), "")
    address = str(reverse(name, args=[subject_id], request=request)) if name else None
    return {"kind": kind, "id": subject_id, "url": address}


# Where the API shows it.
_SERVED: Mapping[tuple[str, Direction | None], str] = {
    ("booking", Direction.SENT): "api-booking",
    ("referral", Direction.SENT): "api-referral",
    ("validation", Direction.SENT): "api-validation",
    ("referral", Direction.RECEIVED): "api-case",
    ("validation", Direction.RECEIVED): "api-case",
}


def _address(request: Request, journey: Journey) -> str:
    return str(reverse("api-journey", args=[journey.pk], request=request))
