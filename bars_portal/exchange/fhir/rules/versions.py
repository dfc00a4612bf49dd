"""The version of the standard that a message follows."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.fhir.rules.model import Facts, Rule

_PATH = ("Bundle.meta.versionId",)


def is_supported(version: str) -> bool:
    """Whether a version such as 1.0.0 or 1.0.0-beta has our major number."""
    return version.partition(".")[0] == STANDARD_VERSION.partition(".")[0]


def _version(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if not bundle.version_id:
        yield Issue(OutcomeCode.INVARIANT, "Bundle.meta.versionId is missing", _PATH)
    elif not is_supported(bundle.version_id):
        words = f"Bundle.meta.versionId is not a version that is supported here, such as {STANDARD_VERSION}"
        yield Issue(OutcomeCode.VERSION_NOT_SUPPORTED, words, _PATH)


RULES = (
    Rule("version", "6", "Bundle.meta.versionId names a version of the standard with our major.", _version),
)
