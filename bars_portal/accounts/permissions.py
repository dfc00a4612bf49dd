"""Roles and what each may do, as one table; and how a policy says no."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum


class Role(StrEnum):
    CLINICIAN = "clinician"
    CLERK = "clerk"
    MANAGER = "manager"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    # Keeps what is of no single organisation: code lists, rules for every service, the shared directory.
    INSTALLER = "installer"

    @property
    def label(self) -> str:
        longer = {
            "manager": "Service manager",
            "engineer": "Integration engineer",
            "installer": "Installation engineer",
        }
        return longer.get(self, self.value.capitalize())


_FIND_AND_BOOK = frozenset(
    {
        "directory.find_service",
        "bookings.search_slots",
        "bookings.book_slot",
        "bookings.cancel_booking",
        "bookings.rebook_booking",
        "bookings.view_sent_bookings",
        "bookings.view_diary",
    }
)
_VIEW_RECEIVED_REFERRALS = frozenset({"referrals.view_received_referrals"})
_VIEW_SENT_REFERRALS = frozenset({"referrals.view_sent_referrals"})
_VIEW_REFERRAL_RECORDS = frozenset(
    {"referrals.view_referral", "referrals.view_validationcase", "referrals.view_unmatchedreply"}
)
_VIEW_DIARY = frozenset({"bookings.view_diary", "bookings.view_received_bookings"})
_RUN_SERVICES = frozenset(
    {
        f"{app}.{verb}_{model}"
        for app, model, verbs in (
            ("directory", "healthcareservice", ("view", "change")),
            ("directory", "accessrule", ("view", "add", "change")),
            ("directory", "endpoint", ("view",)),
            ("directory", "capabilitychange", ("view",)),
            ("bookings", "schedule", ("view", "add", "change")),
            ("bookings", "slot", ("view", "change")),
            ("bookings", "booking", ("view",)),
            ("referrals", "listedcode", ("view",)),
            ("referrals", "breachrule", ("view", "add", "change", "delete")),
        )
        for verb in verbs
    }
)
_RUN_EXCHANGE = frozenset(
    {
        "directory.view_healthcareservice",
        "directory.view_accessrule",
        "directory.view_endpoint",
        "directory.change_endpoint",
        "directory.view_catalogueimport",
        "directory.add_catalogueimport",
        "exchange.view_inboundmessage",
        "exchange.view_outboundmessage",
        "exchange.view_deliveryattempt",
        "exchange.view_partnercircuit",
        "exchange.explain_message",
        "exchange.replay_message",
        "directory.view_servicecapability",
        "directory.clear_servicecapability",
        "directory.view_capabilitychange",
    }
)
# What is shared by all organisations of an installation, and nothing of any of them.
_RUN_INSTALLATION = frozenset(
    {
        "directory.view_healthcareservice",
        "directory.view_endpoint",
        "directory.view_catalogueimport",
        "directory.add_catalogueimport",
        "directory.keep_shared_directory",
        "directory.view_servicecapability",
        "directory.clear_servicecapability",
        "directory.view_capabilitychange",
        "referrals.keep_shared_settings",
        "audit.view_installation_trail",
        *(
            f"referrals.{verb}_{model}"
            for model in ("listedcode", "breachrule")
            for verb in ("view", "add", "change", "delete")
        ),
    }
)
# Programs that call the API for the organisation.
_SEE_APPLICATIONS = frozenset({"api.view_application", "api.view_webhook", "api.view_webhookdelivery"})
_RUN_APPLICATIONS = _SEE_APPLICATIONS | {
    f"api.{verb}_{model}" for model in ("application", "webhook") for verb in ("add", "change")
}
_READ_EVERYTHING = frozenset(
    {
        "audit.view_auditevent",
        "accounts.view_user",
        "accounts.view_organisation",
        "accounts.view_membership",
        "directory.view_healthcareservice",
        "directory.view_accessrule",
        "directory.view_endpoint",
        "directory.view_catalogueimport",
        "bookings.view_schedule",
        "bookings.view_slot",
        "bookings.view_booking",
        "patients.view_patient",
        "patients.view_journey",
        "exchange.view_inboundmessage",
        "exchange.view_outboundmessage",
        "exchange.view_deliveryattempt",
        "exchange.view_partnercircuit",
        "directory.view_capabilitychange",
        "directory.view_servicecapability",
        "referrals.view_listedcode",
        "referrals.view_breachrule",
    }
)

_READ_LOG = frozenset({"exchange.view_message_log", "exchange.unmask_message"})
_KEEP_GOING = frozenset({"exchange.handle_dead_letters", "exchange.view_partners"})
_VIEW_UNMASKINGS = frozenset({"exchange.view_unmaskings"})
_VIEW_PEOPLE = frozenset({"accounts.view_people"})
_MANAGE_PEOPLE = _VIEW_PEOPLE | {"accounts.manage_people"}
_BREAK_GLASS = frozenset({"accounts.break_glass"})
_SEE_GIVEN_UP = frozenset({"exchange.see_given_up"})
# How the installation is doing: figures, and names of services that everybody finds in the directory.
_SEE_STATUS = frozenset({"status.view_condition"})
# Numbers of the own organisation, without a patient: of what its people did, and of how its messages went.
_SEE_EXCHANGE_REPORTS = frozenset({"reports.view_exchange"})
_SEE_REPORTS = _SEE_EXCHANGE_REPORTS | {"reports.view_activity"}
_BOTH_REFERRALS = _VIEW_RECEIVED_REFERRALS | _VIEW_SENT_REFERRALS
_SEND_REQUESTS = frozenset({"referrals.send_request"})
_WORK_CASES = frozenset({"referrals.work_case"})
_ANSWER_CASES = _WORK_CASES | {"referrals.answer_case"}

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.CLINICIAN: _FIND_AND_BOOK
    | _VIEW_DIARY
    | _SEE_GIVEN_UP
    | _BOTH_REFERRALS
    | _ANSWER_CASES
    | {"bookings.book_outside_time_frame"}
    | _SEND_REQUESTS
    | {"referrals.send_clinical_request"},
    Role.CLERK: _FIND_AND_BOOK | _SEE_GIVEN_UP | _VIEW_DIARY | _BOTH_REFERRALS | _WORK_CASES | _SEND_REQUESTS,
    Role.MANAGER: _VIEW_DIARY
    | {"bookings.run_diary"}
    | _SEE_GIVEN_UP
    | _KEEP_GOING
    | _VIEW_UNMASKINGS
    | _SEE_STATUS
    | _RUN_SERVICES
    | _RUN_APPLICATIONS
    | _MANAGE_PEOPLE
    | _BREAK_GLASS
    | _VIEW_RECEIVED_REFERRALS
    | _VIEW_REFERRAL_RECORDS
    | _SEE_REPORTS
    | {"portal.open_admin", "directory.find_service"},
    Role.ENGINEER: _RUN_EXCHANGE
    | _RUN_APPLICATIONS
    | _READ_LOG
    | _KEEP_GOING
    | _SEE_GIVEN_UP
    | _SEE_STATUS
    | _BREAK_GLASS
    | _SEE_EXCHANGE_REPORTS
    | {"portal.open_admin", "onboarding.run_desk"},
    Role.AUDITOR: _READ_EVERYTHING
    | _SEE_APPLICATIONS
    | _READ_LOG
    | _VIEW_UNMASKINGS
    | _VIEW_PEOPLE
    | {"accounts.review_break_glass"}
    | _VIEW_DIARY
    | _BOTH_REFERRALS
    | _VIEW_REFERRAL_RECORDS
    | _SEE_REPORTS
    | {"portal.open_admin", "bookings.view_sent_bookings"},
    Role.INSTALLER: _RUN_INSTALLATION | _MANAGE_PEOPLE | _SEE_STATUS | {"portal.open_admin"},
}
# What break-glass access adds for a while: reading the organisation's patients, and changing nothing.
BROKEN_GLASS_GIVES = _VIEW_DIARY | _BOTH_REFERRALS | {"bookings.view_sent_bookings"}
# Which roles who manages people may give: a manager none that reaches beyond services and diaries.
GIVES: dict[Role, frozenset[Role]] = {
    Role.MANAGER: frozenset({Role.CLINICIAN, Role.CLERK, Role.MANAGER}),
    Role.INSTALLER: frozenset(Role),
}
ALL_PERMISSIONS = frozenset().union(*PERMISSIONS.values())


def permissions_of_roles(roles: Iterable[Role]) -> frozenset[str]:
    return frozenset().union(*(PERMISSIONS[role] for role in roles))


# How a policy says no: `check_can_x` raises with a sentence for the person, `can_x` is its boolean.


_noted: ContextVar[list[str] | None] = ContextVar("noted_refusals", default=None)


@contextmanager
def noting_refusals() -> Iterator[list[str]]:
    """The sentences of all that was tried in the block and refused, though a view may have caught it."""
    sentences: list[str] = []
    token = _noted.set(sentences)
    try:
        yield sentences
    finally:
        _noted.reset(token)


class PolicyRefused(Exception):
    """`sentence` says why, to the person who tried; it names no patient."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        noted = _noted.get()
        if noted is not None:
            noted.append(sentence)


def need(fulfilled: bool, sentence: str) -> None:
    """Raises PolicyRefused with the sentence."""
    if not fulfilled:
        raise PolicyRefused(sentence)


def why_not(check: Callable[[], None]) -> str:
    """The sentence of a check that refuses; "" when it does not."""
    # Who asks what may be done has not tried it.
    token = _noted.set(None)
    try:
        check()
    except PolicyRefused as refusal:
        return refusal.sentence
    finally:
        _noted.reset(token)
    return ""


def allowed(check: Callable[[], None]) -> bool:
    return not why_not(check)
