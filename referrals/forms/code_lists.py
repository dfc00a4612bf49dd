"""Codes that the forms offer: what the published messages carry. The full systems are licensed separately."""

from collections.abc import Mapping

from referrals.content import OutcomeKind
from referrals.forms.concepts import SNOMED, SYSTEMS, CodeList

_DX, _SD, _SG, _AMPDS = (SYSTEMS[short] for short in ("DX", "SD", "SG", "AMPDS"))
# What kind of outcome a code is.
KINDS: Mapping[str, OutcomeKind] = {
    _DX: OutcomeKind.DISPOSITION,
    _SD: OutcomeKind.SYMPTOM_DISCRIMINATOR,
    _SG: OutcomeKind.SYMPTOM_GROUP,
    _AMPDS: OutcomeKind.DISPATCH,
}
TRIAGE_OUTCOMES = CodeList(
    "outcomes",
    (
        (_DX, "DX02", "The individual needs to attend an emergency treatment centre within 1 hour."),
        (_DX, "Dx0122", "Emergency Ambulance Response (Category 3)"),
        (
            _DX,
            "Dx335",
            "A clinician from our service will call the individual back immediately to assess the problem",
        ),
        (_SD, "4389", "ED post tonsillectomy bleeding"),
        (_SD, "SD4501", "ED Ischaemia, post trauma"),
        (_SD, "SD4033", "AMB new/worsening breathlessness"),
        (_SG, "1010", "Allergic Reaction"),
        (_SG, "SG1011", "Ankle or Foot Injury, Blunt"),
        (_SG, "SG1137", "Palpitations"),
        (_AMPDS, "10A01", "Chest Pain 12 - 34 yrs with Normal Breathing"),
    ),
)
ADJUSTMENTS = CodeList(
    "adjustments", ((SYSTEMS["Adjustment"], "adjustforneedlephobia", "Adjust for needle phobia"),)
)
TASKS = CodeList(
    "tasks",
    (
        (
            SNOMED,
            "1577041000000109",
            "Community Pharmacist Consultation Service for minor illness (procedure)",
        ),
        (SNOMED, "715537001", "Transportation by ambulance"),
    ),
)
COMPLAINTS = CodeList(
    "complaints",
    ((SNOMED, "65363002", "Otitis media (disorder)"), (SNOMED, "16001004", "Otalgia")),
)
OBSERVATIONS = CodeList(
    "observations",
    (
        (SNOMED, "271594007", "Syncope (disorder)"),
        (SNOMED, "428913001", "No loss of consciousness (situation)"),
        (SNOMED, "419045004", "Loss of consciousness (finding)"),
        (SNOMED, "248573009", "Noisy respiration (finding)"),
    ),
)
PROCEDURES = CodeList("procedures", ((SNOMED, "89666000", "Cardiopulmonary resuscitation (procedure)"),))
MEDICINES = CodeList("medicines", ((SYSTEMS["dm+d"], "8280711000001102", "Aspirin 50mg/5ml oral solution"),))
SUBSTANCES = CodeList("substances", ((SNOMED, "372687004", "Amoxicillin"),))
