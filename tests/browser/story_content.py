"""What people type in the whole stories, by the names of the fields; "{triage}" is a moment of the story."""

from tests.browser.story import Answers

PATIENT: Answers = {
    "title": "Dame",
    "address_line_2": "Flat 2",
    "town": "Leeds",
    "district": "West Yorkshire",
    "address_use": "home",
    "practice_name": "The Headrow Surgery",
    "practice_code": "B86044",
    "local_number": "LOC-815",
    "language": "pl",
    "ethnic_category": "C",
    "call_back": "somebody_else",
    "contact_relationship": "SIB",
    "contact_given_names": "Agnes",
    "contact_family_name": "Ravensworth",
    "contact_gender": "female",
    "second_phone": "0113 496 0001",
}
ASSESSMENT: Answers = {
    "complaint": "Chest pain",
    "narrative": "Chest pain since this morning",
    "triage_tool": "Pathways",
    "triage_tool_version": "30.2.0",
    "case_number": "N111-4711",
    "started": "{triage}",
    "disposition": "{disposition}",
    "row-0-what": "Dx0122",
    "row-0-words": "Within two hours",
    "row-1-what": "Dx335",
}
CALL: Answers = {"connected": "{connected}", "answered": "{answered}"}
WARNINGS: Answers = {
    "row-0-kind": "SG|836881000000105",
    "row-0-words": "Two small children at home",
    "row-1-kind": "RA",
    "row-1-what": "Advocate to be present (advocatetobepresent)",
    "row-2-kind": "IR",
    "row-2-what": "Measles",
}
SCENE: Answers = {"scene": "U", "scene_words": "Traffic on the ramp"}


def moment(field: str, name: str) -> Answers:
    """A day in three fields and its time."""
    day = {f"{field}-{part}": f"{{{name}:%{part[0]}}}" for part in ("day", "month")}
    return {**day, f"{field}-year": f"{{{name}:%Y}}", f"{field}_time": f"{{{name}:%H:%M}}"}


NOT_BEFORE, FRAME = moment("start", "start"), moment("end", "end")
OF_TASK: Answers = {**moment("start", "task_start"), **moment("end", "task_end")}
PLACE: Answers = {
    "row-0-name": "Briggate corner",
    "row-0-address": "20 The Headrow\nUpper floor",
    "row-0-town": "Leeds",
    "row-0-postcode": "LS1 6PT",
    "row-0-uprn": "8755622",
    "row-0-what3words": "filled.count.soap",
    "row-0-eastings": "430123.5",
    "row-0-northings": "433456",
    "row-0-latitude": "53.79960",
    "row-0-longitude": "-1.54175",
    "row-0-accuracy_percent": "80",
    "row-0-directions": "Behind the market hall",
}
BACKGROUND: dict[str, Answers] = {
    "Medication": {
        "known": "listed",
        "row-0-what": "Aspirin 50mg/5ml oral solution (8280711000001102)",
        "row-0-dosage": "One a day",
        "row-0-since-year": "2024",
        "row-0-reason": "Angina",
    },
    "Allergies": {
        "known": "listed",
        "row-0-what": "Amoxicillin (372687004)",
        "row-0-reaction": "Urticarial rash (247472004)",
        "row-0-reaction_words": "On both arms",
        "row-0-severity": "moderate",
        "row-0-type": "allergy",
        "row-0-category": "medication",
    },
    "Observations": {
        "household": "OnePersonHouseholds",
        "birth_sex": "F",
        "age": "81",
        "age_unit": "a",
        "row-0-what": "Syncope [SNOMED 271594007]",
        "row-0-value": "Twice today",
    },
    "Expectations": {"told": "Call 999 if it gets worse", "wishes": "To be seen today"},
    "Consent": {"consent": "OPTIN"},
}
REJECTED: dict[str, Answers] = {
    "Services not taken": {
        "row-0-name": "Elsewhere",
        "row-0-service_id": "200000359",
        "row-0-reason": "26",
        "row-0-comment": "Too far away",
    }
}
COMPLAINT: Answers = {
    "what": "Otitis media (disorder)",
    "words": "Of the left ear",
    "onset-day": "1",
    "onset-month": "11",
    "onset-year": "2024",
}
TASK: Answers = {
    "what": "Community Pharmacist Consultation Service for minor illness (procedure)",
    "words": "Today if possible",
    "description": "Look into the ear",
    **OF_TASK,
}
OUTCOME: Answers = {
    "disposition": "dispatch",
    "priority": "C2",
    "narrative": "Short of breath, grey",
    "triage_1": "DX02",
    "triage_2": "SD4033",
    "itk_asked": "on",
    "cad_id": "CAD-77",
    "place_name": "Market hall",
    "address": "1 Vicar Lane",
    "town": "Leeds",
    "postcode": "LS1 7HB",
    "uprn": "8755623",
    "what3words": "market.hall.clock",
    "eastings": "430321",
    "northings": "433654",
    "latitude": "53.7985",
    "longitude": "-1.5398",
    "raised": "IR",
    "raised_words": "Influenza",
}
ALERT: Answers = {"stage": "in-progress", "began": "{began}", **CALL}
HELP: Answers = {
    "help_asked": "Please send one vehicle",
    "what": "Transportation by ambulance",
    "words": "With oxygen",
    "description": "One crew",
    **OF_TASK,
}
CALLER: Answers = {"row-1-type": "CLOC", "row-1-name": "Call box", "row-1-postcode": "LS1 4AP"}
AMBULANCE: dict[str, Answers] = {
    "Ambulance questions": {"nature": "AP1P", "breathing": "yes", "conscious": "no", "noisy": "yes"},
    "Procedures": {
        "row-0-what": "Cardiopulmonary resuscitation (procedure)",
        "row-0-words": "By a passer-by",
        "row-0-began": "{cpr}",
    },
    "Call log": {
        "row-0-note": "A knife was seen",
        "row-0-made": "{note}",
        "row-1-note": "Crew on its way",
        "row-1-made": "{second_note}",
    },
}
