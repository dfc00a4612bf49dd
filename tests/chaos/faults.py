"""What goes wrong in a run: each by name, with a sentence; it strikes while messages are on their way.

A partner whose answers never come is spared after three of them, and tried again after 30 s, then a minute:
such a fault hits four requests of each of ten partners. Until fifty messages of one partner had met it, it
would be an outage of hours.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import strikes
from tests.chaos.sending import send_all, send_by_pages
from tests.chaos.strikes import Run, Strike, calm_after, drill
from tests.chaos.surroundings import Around, nothing, own_clocks, redis_broker, small_disk

# Requests that a drill of the simulator makes slow enough to be caught in the middle.
_CAUGHT_SECONDS = 3.0
# Requests of each partner, whatever the number of messages: after three the partner is spared.
_NOT_ANSWERING = 4


def _nothing(_run: Run) -> None:
    """No fault of this kind."""


@dataclass(frozen=True)
class Fault:
    """`prepare` before the first message is written, `strike` beside those that are written after that."""

    sentence: str
    prepare: Strike = _nothing
    strike: Strike = _nothing
    # How many partners have it; the others must not notice.
    partners: int = 10
    around: Around = nothing
    send: Callable[[Run], None] = send_all
    # The audit trail is sealed no later than after so many seconds, whatever is wrong.
    seals_within: float | None = None
    # False: it is wrong with the answers to its own partners only, and runs beside others.
    is_alone: bool = True


def _answers(sentence: str, *faults: str, times: int = 0, seconds: float = 0.0) -> Fault:
    """What the proxy or the receiver answers is wrong."""
    return Fault(sentence, prepare=drill(*faults, times=times, seconds=seconds), is_alone=False)


_SLOW = drill("slow", seconds=_CAUGHT_SECONDS)

FAULTS: dict[str, Fault] = {
    "kill-web": Fault(
        "kill -9 of the portal, three times, with people pressing send",
        strike=strikes.kill("portal"),
        send=send_by_pages,
    ),
    "kill-worker": Fault(
        "kill -9 of the worker, three times, with answers under way",
        prepare=_SLOW,
        strike=strikes.kill("worker"),
    ),
    "kill-receiver": Fault(
        "kill -9 of the receiver, three times, with messages under way",
        prepare=_SLOW,
        strike=strikes.kill("receiver"),
    ),
    "kill-simulator": Fault(
        "kill -9 of the proxy, three times, with messages under way",
        prepare=_SLOW,
        strike=strikes.kill("simulator"),
    ),
    "database-restart": Fault(
        "the database is restarted, then stopped as by a power cut",
        prepare=_SLOW,
        strike=strikes.restart_database,
    ),
    "rolling-restart": Fault(
        "worker, receiver, portal and proxy are restarted one after the other",
        prepare=_SLOW,
        strike=strikes.restart_all,
    ),
    "token-down": Fault(
        "nobody gets an access token for 8 s",
        prepare=strikes.token_away,
        strike=calm_after(8.0),
    ),
    "hanging-partner": Fault(
        "one partner of ten hangs, 36 s each time, until a minute is over",
        prepare=drill("hang", times=40, seconds=36.0),
        strike=calm_after(60.0),
        partners=1,
        seals_within=10.0,
    ),
    "hang": _answers("20 requests hang for longer than anybody waits", "hang", times=2, seconds=36.0),
    "cut-requests": _answers(
        "the network is cut before anybody has the request", "cut", times=_NOT_ANSWERING
    ),
    "lost-replies": _answers(
        "the receiver has done it and its answer is lost", "lost-reply", times=_NOT_ANSWERING
    ),
    "cut-bodies": _answers("the network is cut in the middle of an answer", "cut-body", times=_NOT_ANSWERING),
    "garbage": _answers("an answer that is no answer", "garbage"),
    "half-answers": _answers("half an answer", "half-answer"),
    "wrong-ids": _answers("an answer with other ids, or with none", "bad-ids", "no-ids"),
    "odd-200s": _answers(
        "200 with another Bundle.id, without a focus, with a status that no answer has",
        *("other-bundle", "no-focus", "pending"),
    ),
    "failed-after": _answers("the receiver has done it and says 500", "500-after"),
    "unavailable-after": _answers("the receiver has done it and says 503", "503-after", times=_NOT_ANSWERING),
    "denied": _answers(
        "the receiver has done it, its answer is lost, and it refuses the repeat with 422",
        "denied",
        times=_NOT_ANSWERING,
    ),
    "unavailable": _answers("503", "503", times=_NOT_ANSWERING),
    "expired-certificate": _answers(
        "the proxy shows the receiver a certificate that has expired",
        "expired-certificate",
        times=_NOT_ANSWERING,
    ),
    "broker-down": Fault(
        "kill -9 of Redis, away for 30 s",
        strike=strikes.broker_away,
        around=redis_broker,
        seals_within=10.0,
    ),
    "frozen-broker": Fault(
        "SIGSTOP of Redis for half a minute; the worker is restarted meanwhile",
        strike=strikes.broker_frozen,
        around=redis_broker,
        # The next worker has to start first.
        seals_within=20.0,
    ),
    "full-disk": Fault(
        "the disk of the broker's folder is full for 15 s", strike=strikes.disk_full, around=small_disk
    ),
    "clock-jump": Fault(
        "the clock of one program after the other is ten minutes ahead, then behind, then right again",
        strike=strikes.clocks_jump,
        around=own_clocks,
    ),
}
