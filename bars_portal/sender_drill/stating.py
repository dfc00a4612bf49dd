"""What the drill states: the least that a request of its use case needs, about a made-up patient."""

from datetime import date, datetime, timedelta

from bars_portal.exchange.fhir.codes import ARPPriority, UseCase
from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom
from referrals.content import (
    Assessment,
    Concept,
    Condition,
    Outcome,
    OutcomeKind,
    Part,
    Place,
    RequestContent,
    Stage,
    TimeFrame,
    needs_of,
)

_OUTCOME = Outcome(OutcomeKind.PRESENTING_COMPLAINT, Concept(text="Chest pain"))


def patient(nhs_number: str) -> PatientDetails:
    """Without a number when it is ""."""
    call_back = ContactDetails(relationship="ONESELF", telecoms=(Telecom("phone", "07700900123", "mobile"),))
    return PatientDetails(
        nhs_number=nhs_number,
        nhs_number_verified=bool(nhs_number),
        given_names="Drill",
        family_name="TESTING",
        gender="female",
        birth_date=date(1950, 1, 1),
        address_lines=("1 Sample Row",),
        postcode="LS1 4AP",
        contacts=(call_back,),
    )


def content(use_case: UseCase, *, now: datetime) -> RequestContent:
    needs = needs_of(use_case)
    has = {part for part in needs if needs[part] != "absent"}
    return RequestContent(
        use_case=use_case,
        assessment=Assessment(
            narrative="Chest pain since this morning.",
            outcomes=(_OUTCOME,),
            priority=ARPPriority.C3 if Part.PRIORITY in has else None,
            started_at=now,
            case_number="DRILL-1",
        ),
        stage=Stage.FIRST_ALERT if Part.STAGE in has else None,
        time_frame=TimeFrame(now, now + timedelta(hours=2)) if Part.TIME_FRAME in has else None,
        places=(Place(postcode="LS1 6PT"),) if Part.INCIDENT in has else (),
        condition=Condition(Concept(text="Chest pain")) if Part.CONDITION in has else None,
    )
