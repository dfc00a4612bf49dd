"""Why somebody is not let in by NHS CIS2: a machine word for the trail, plain words for the person."""

from enum import StrEnum


class Reason(StrEnum):
    """The value goes into the audit trail; never a text of the other side."""

    STALE = "stale"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    BAD_TOKEN = "bad-token"  # noqa: S105 - a word, no secret
    UNKNOWN_PERSON = "unknown-person"
    NO_ORGANISATION = "no-organisation"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES: dict[Reason, str] = {
    Reason.STALE: "This sign-in was started too long ago, or in another window. Sign in again.",
    Reason.DECLINED: "NHS CIS2 did not sign you in. Try again, or sign in with your password.",
    Reason.UNREACHABLE: "NHS CIS2 does not answer now. Try again in a few minutes, or use your password.",
    Reason.BAD_TOKEN: (
        "The answer of NHS CIS2 could not be trusted, so you are not signed in. Tell your IT support."
    ),
    Reason.UNKNOWN_PERSON: (
        "NHS CIS2 knows you, but you have no account here yet. Ask the person who manages accounts in your "
        "organisation to link your account to NHS CIS2."
    ),
    Reason.NO_ORGANISATION: (
        "Your NHS CIS2 role is for an organisation that you do not act for here. Sign in again with another "
        "role, or ask the person who manages accounts in your organisation."
    ),
}


class SignInRefused(Exception):
    """The text is the machine word alone."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
