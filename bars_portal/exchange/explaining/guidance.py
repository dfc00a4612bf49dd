"""Every step and rule that a message meets on its way in, in order: what it asks, where, and how to mend it.

The rules say themselves what they ask (`exchange.fhir.rules`). Here stands what only an explanation needs:
the FHIR element or header that each is about, and what whoever wrote the message does about a breach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bars_portal.exchange.fhir.outcomes import Issue
from bars_portal.exchange.fhir.rules import all_rules


@dataclass(frozen=True, slots=True)
class RuleWords:
    """`section` is that of the standard, `element` a FHIR element or a header."""

    rule: str
    section: str
    sentence: str
    element: str
    mend: str


# What is judged before the rules, in the order of `FhirView.initial` and `read_message`.
REQUEST_IDS, NHSD_HEADERS, ANSWER_FORMAT, BODY_FORMAT = (
    "request-ids",
    "nhsd-headers",
    "answer-format",
    "body-format",
)
ACCESS, WELL_FORMED, STRUCTURE = "access", "well-formed", "structure"
# A rule whose breach is seen in several elements, none of which is wrong by itself.
WORKFLOW = "workflow"
# And after them.
CONTENT, ONCE, APPLIED = "content", "once", "applied"

_BEFORE = (
    RuleWords(
        REQUEST_IDS,
        "3",
        "X-Request-ID and X-Correlation-ID are there, and each is a UUID.",
        "X-Request-ID, X-Correlation-ID",
        "Send both headers, each a UUID: a new X-Request-ID for each new request, one X-Correlation-ID for "
        "the whole conversation.",
    ),
    RuleWords(
        NHSD_HEADERS,
        "3",
        "Every NHSD header that was sent is the base64 of the JSON object that belongs there.",
        "NHSD-Target-Identifier, NHSD-End-User-Organisation, NHSD-Requesting-Practitioner, "
        "NHSD-Requesting-Software",
        "Write the JSON object of the header, each name once, and encode it in base64.",
    ),
    RuleWords(
        ANSWER_FORMAT,
        "4",
        "Accept or _format asks for a format and a version that are served.",
        "Accept, _format",
        "Ask for application/fhir+json or application/fhir+xml, in a version 1.x of the standard.",
    ),
    RuleWords(
        BODY_FORMAT,
        "4",
        "Content-Type is a FHIR type, Content-Encoding gzip or nothing, the body whole and not too large.",
        "Content-Type, Content-Encoding, the body",
        "Send application/fhir+json or application/fhir+xml in UTF-8, plain or as one gzip stream.",
    ),
    RuleWords(
        ACCESS,
        "3",
        "The organisation, role and software that ask may use the service.",
        "NHSD-End-User-Organisation, NHSD-Requesting-Practitioner, NHSD-Requesting-Software",
        "Name the organisation on whose behalf the message goes. If it should be let in, its ODS code "
        "belongs on the service's list of callers, or what the headers say into one of its access rules; "
        "its provider keeps both.",
    ),
    RuleWords(
        WELL_FORMED,
        "4",
        "The body is one FHIR resource in the format that Content-Type says, no name twice in an object.",
        "the body",
        "Send JSON or XML that a parser takes, each name once in its object.",
    ),
    RuleWords(
        STRUCTURE,
        "6",
        "The message has the structure of FHIR R4: known elements of the right types, none missing or empty.",
        "Bundle",
        "Correct the element so that it has the form that FHIR R4 gives it.",
    ),
)
_AFTER = (
    RuleWords(
        CONTENT,
        "6",
        "What the message says can be read as a message of its kind.",
        "the focus and what it names",
        "Complete or correct the element that is named.",
    ),
    RuleWords(
        ONCE,
        "5",
        "The message was not processed before: not its X-Request-ID, nor the Bundle.id of a new one.",
        "X-Request-ID, Bundle.id",
        "Take a duplicate for delivered. A new message needs a new X-Request-ID and a new Bundle.id.",
    ),
    RuleWords(
        APPLIED,
        "5",
        "What the message asks for can be done: what it is about is known here, and nothing is in its way.",
        "the focus",
        "Read what the service holds now, and ask for something that is still possible.",
    ),
)

# By rule: the element that it is about, and how a breach is mended.
_OF_RULES: dict[str, tuple[str, str]] = {
    "bundle-type": ("Bundle.type", "Send the Bundle with type message."),
    "version": (
        "Bundle.meta.versionId",
        "Write the version of the standard there, such as 1.1.0: it is no version of the resource.",
    ),
    "bundle-id": ("Bundle.id", "Give the Bundle an id, a UUID of its own."),
    "header-first": ("Bundle.entry", "Put the one MessageHeader into the first entry."),
    "entry-resource": ("Bundle.entry.resource", "Leave out entries without a resource."),
    "bundle-stamps": (
        "Bundle.timestamp, Bundle.meta.lastUpdated",
        "Write when the message was made, with date, time and offset from UTC.",
    ),
    "response-answers": (
        "MessageHeader.response.identifier",
        "Name the Bundle.id of the message that is answered.",
    ),
    "event-known": ("MessageHeader.eventCoding", "Use a code of message-events-bars with its system."),
    "reason-known": ("MessageHeader.reason", "Use new, update or delete of message-reason-bars."),
    "focus-resolves": (
        "MessageHeader.focus",
        "Let the focus name the fullUrl of the entry that the message is about.",
    ),
    WORKFLOW: (
        "MessageHeader.eventCoding, MessageHeader.reason, ServiceRequest.category, status of the focus",
        "Check event, reason, category, use case and status of the focus against the workflow table: one of "
        "them does not belong to the others.",
    ),
    "cancel-reason": ("MessageHeader.reason", "Send what takes something back with reason update."),
    "workflow-states": (
        "status of CarePlan, Encounter, Appointment and ServiceRequest",
        "Set the status that this kind of message asks for.",
    ),
    "destination-hosted": (
        "MessageHeader.destination.endpoint",
        "Name the service of this receiver that is meant, as system and DoS service id.",
    ),
    "receiver-resolves": (
        "MessageHeader.destination.receiver",
        "Let the reference name the Organization in the Bundle that receives the message.",
    ),
    "receiver-provider": (
        "MessageHeader.destination.receiver",
        "Give that Organization the ODS code of the provider of the service.",
    ),
    "source-service": (
        "MessageHeader.source.endpoint",
        "Name the DoS service id to which replies can be sent.",
    ),
    "sender": ("MessageHeader.sender", "Let the reference name the Organization that sends."),
    "use-case": (
        "ServiceRequest.category, Appointment.serviceCategory",
        "State one use case of usecases-categories-bars that the service accepts, as its definitions say.",
    ),
    "one-use-case": (
        "ServiceRequest.category",
        "Leave one message category and one use case there.",
    ),
    "definition-fits": (
        "MessageHeader.definition",
        "Name the MessageDefinition of this kind of message.",
    ),
    "counts": (
        "Bundle.entry",
        "Send as many resources of each type as the MessageDefinition says.",
    ),
    "counts-listed": ("Bundle.entry", "Leave out resources that the MessageDefinition does not list."),
    "full-urls": ("Bundle.entry.fullUrl", "Give every entry a fullUrl that no other entry has."),
    "references": (
        "Reference.reference",
        "Add the resource that is named to the Bundle, or correct the reference.",
    ),
    "contact-call-back": (
        "Patient.contact, extension ContactRank",
        "Give exactly one contact rank 1, with a telecom to call back.",
    ),
    "contact-ranks": ("Patient.contact", "Give every contact and every telecom a rank of its own."),
    "gender": (
        "gender of Patient, Patient.contact, Practitioner and RelatedPerson",
        "Write male, female, other or unknown, or leave the gender out.",
    ),
    "about-the-patient": (
        "subject, Appointment.participant.actor",
        "Refer to the Patient of the Bundle, and to nobody else, as subject or participant.",
    ),
    "appointment-times": (
        "Appointment.start, Appointment.end",
        "Write both times with an offset, the end after the start.",
    ),
    "appointment-slot": (
        "Appointment.slot",
        "Name the Slot that is taken, with the id under which the service offered it.",
    ),
    "consent": ("Consent", "Send a Consent for direct care, in the codes of consent-categories-bars."),
    "incident-location": (
        "Location, extension LocationExtension",
        "Say where in exactly one of the ways that the standard has.",
    ),
    "breach-time": (
        "ServiceRequest.occurrencePeriod",
        "Write from when and until when the validation is to be done, both with an offset.",
    ),
    "journey": ("Encounter.episodeOfCare", "Name the same EpisodeOfCare in every Encounter."),
    "nhs-number": (
        "Patient.identifier",
        "Check the NHS number, and mark it as verified once it was traced.",
    ),
    "identifier-system": ("identifier.system", "Write the system of the identifier to the letter."),
    "codes": ("Coding.code", "Use a code that its code system has."),
    "displays": ("Coding.display", "Write the display as the code system has it."),
}

RULES = tuple(each.id for each in all_rules())


@cache
def in_order() -> tuple[RuleWords, ...]:
    """All of them, in the order in which they decide."""
    return (*_BEFORE, *_of_rules(), *_AFTER)


def _of_rules() -> Iterator[RuleWords]:
    """Raises KeyError for a rule without guidance."""
    for each in all_rules():
        yield RuleWords(each.id, each.section, each.sentence, *_OF_RULES[each.id])


# What the edge refuses names no rule: the header that it is about tells the step.
_BY_PLACE = {
    "http.X-Request-ID": REQUEST_IDS,
    "http.X-Correlation-ID": REQUEST_IDS,
    "http.Accept": ANSWER_FORMAT,
    "_format": ANSWER_FORMAT,
}


def rule_of(issue: Issue, *, otherwise: str) -> str:
    """The id of the rule or step that an issue is a breach of.

    `otherwise` is the step of what names no rule; "" for what the edge refused, which its place tells.
    """
    if issue.rule or otherwise:
        return issue.rule or otherwise
    place = issue.expression[0] if issue.expression else ""
    return NHSD_HEADERS if place.startswith("http.NHSD-") else _BY_PLACE.get(place, BODY_FORMAT)
