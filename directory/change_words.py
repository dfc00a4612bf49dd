"""What a service said anew, told in plain words: to staff with the codes, to clinicians without."""

from collections.abc import Iterable, Iterator, Sequence

from bars_portal.exchange.fhir.codes import UseCase
from directory.stated import Aspect, Difference
from directory.use_case_words import WORDS

_GONE = {
    Aspect.REQUESTS: "Stopped accepting requests for {}",
    Aspect.BOOKINGS: "Stopped accepting bookings for {}",
    Aspect.EVENTS: "Stopped accepting messages of the kind {}",
    Aspect.DEFINITIONS: "No longer lists the message {}",
    Aspect.VERSION: "No longer works with version {} of the standard",
    Aspect.FORMATS: "No longer speaks {}",
}
_NEW = {
    Aspect.REQUESTS: "Now accepts requests for {}",
    Aspect.BOOKINGS: "Now accepts bookings for {}",
    Aspect.EVENTS: "Now accepts messages of the kind {}",
    Aspect.DEFINITIONS: "Now lists the message {}",
    Aspect.VERSION: "Now works with version {} of the standard",
    Aspect.FORMATS: "Now speaks {}",
}
_USE_CASES = (Aspect.REQUESTS, Aspect.BOOKINGS)


def staff_words(found: Difference) -> tuple[str, ...]:
    """ "Stopped accepting requests for a3t1 (Clinical assessment, sent by 999)"; what went comes first."""
    gone = (
        _GONE[each].format(_listed(each, found.removed[each])) for each in Aspect if each in found.removed
    )
    new = (_NEW[each].format(_listed(each, found.added[each])) for each in Aspect if each in found.added)
    return (*gone, *new)


def clinician_words(found: Difference, still_missing: Iterable[str]) -> Iterator[str]:
    """ "Stopped accepting requests for Clinical assessment, sent by 999", of the codes that are wanted."""
    wanted = frozenset(still_missing)
    for aspect in _USE_CASES:
        for code in found.removed.get(aspect, ()):
            if code in wanted:
                yield _GONE[aspect].format(_plain(code))


def _listed(aspect: Aspect, texts: Sequence[str]) -> str:
    named = (f"{each} ({_plain(each)})" if aspect in _USE_CASES else each for each in texts)
    return ", ".join(named)


def _plain(code: str) -> str:
    use_case = UseCase.lookup(code)
    return WORDS[use_case] if use_case is not None else "not known here"
