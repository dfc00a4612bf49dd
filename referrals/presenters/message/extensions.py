"""Extensions that have words of their own; every other one goes to "Other information received"."""

from referrals.presenters.message.model import Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of

# The last step of the extension's address, and its label. A part of an extension is named by its whole url.
_LABELS = {
    "Extension-UKCore-EthnicCategory": "Ethnic category",
    "patient-religion": "Religion",
    "Extension-UKCore-NHSNumberVerificationStatus": "NHS number",
    "Extension-UKCore-DeliveryChannel": "How",
    "UPRN": "UPRN",
    "eastings": "Eastings",
    "northings": "Northings",
    "what3words": "what3words",
    "accuracy": "Accuracy",
    "RequesterCDSSsoftware": "Decision support software of the requester",
    "RequesterCDSSversion": "Version of the decision support software of the requester",
    "ResponderCDSSsoftware": "Decision support software of the responder",
    "ResponderCDSSversion": "Version of the decision support software of the responder",
}
# Extensions that only hold others.
_HOLDERS = frozenset(("LocationExtension", "CDSSExtension"))


def extension_rows(part: Part) -> list[Row]:
    """A row for each extension that has a label here."""
    rows: list[Row] = []
    for each in part.parts("extension"):
        tail = tail_of(each)
        if tail in _HOLDERS:
            rows += extension_rows(each)
        elif tail in _LABELS:
            rows += _row(each, _LABELS[tail])
    return rows


def extension_lines(part: Part, tail: str, label: str) -> list[str]:
    """The value of the extension whose address ends so."""
    found = (each for each in part.parts("extension") if tail_of(each) == tail)
    return [line for each in found for line in lines_of(each, "value[x]", label)]


def tail_of(extension: Part) -> str:
    return extension.peek("url").rsplit("/", 1)[-1]


def _row(extension: Part, label: str) -> list[Row]:
    lines = lines_of(extension, "value[x]", label)
    return [Row(label, tuple(lines))] if lines else []
