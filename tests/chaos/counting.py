"""What became of a run's messages, counted on both sides of the wire; and how late the trail was sealed."""

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg

# A message counts as delivered by what the receiving side holds, whatever the sending side believes.
# "Refused" is the last word to people: of what is held it is as wrong as "accepted" is of what is not.
_COUNTS = """
    SELECT
        count(*),
        count(*) FILTER (WHERE held = 1),
        count(*) FILTER (WHERE held > 1 OR cases > 1),
        count(*) FILTER (WHERE state = 'refused' OR held = 0 AND state = 'accepted'),
        count(*) FILTER (WHERE NOT is_visible AND state NOT IN ('accepted', 'refused')),
        count(*) FILTER (WHERE held = 1 AND state = 'accepted')
    FROM (
        SELECT
            sent.state,
            (SELECT count(*) FROM exchange_inboundmessage kept
             WHERE kept.request_id = sent.request_id AND kept.state = 'accepted') AS held,
            (SELECT count(*) FROM referrals_referral received
             WHERE received.direction = 'received'
             AND received.correlation_id = sent.correlation_id) AS cases,
            sent.state = 'queued'
                OR (sent.state = 'abandoned' AND sent.reason <> '')
                OR (sent.state = 'unknown' AND sent.next_attempt_at IS NOT NULL AND sent.reason <> '')
                OR (sent.state = 'sending' AND sent.lease_until > now()) AS is_visible
        FROM exchange_outboundmessage sent
        WHERE sent.service_id = ANY(%s)
    ) AS each
"""
_UNSETTLED = """
    SELECT count(*) FROM exchange_outboundmessage
    WHERE state NOT IN ('accepted', 'refused') AND service_id = ANY(%s)
"""
_WAITING = """
    SELECT count(*) || ' ' || sent.state || ', ' || coalesce(nullif(sent.reason, ''), 'not sent yet')
        || coalesce(', goes out again within ' || max(sent.next_attempt_at) - now(), '')
        || coalesce(', its service is tried again within ' || max(circuit.retry_at) - now(), '')
    FROM exchange_outboundmessage sent LEFT JOIN exchange_partnercircuit circuit USING (service_id)
    WHERE sent.state <> 'accepted' AND service_id = ANY(%s)
    GROUP BY sent.state, sent.reason
"""
_HIT = """
    SELECT count(DISTINCT attempt.message_id) FROM exchange_deliveryattempt attempt
    JOIN exchange_outboundmessage sent ON sent.id = attempt.message_id
    WHERE attempt.outcome NOT IN ('accepted') AND sent.service_id = ANY(%s)
"""
# The longest that a message to a partner without any fault took, from its request to its answer.
_SLOWEST = """
    SELECT coalesce(max(extract(epoch FROM settled_at - created_at)), 0) FROM exchange_outboundmessage
    WHERE state = 'accepted' AND service_id = ANY(%s)
"""
# Of what is committed and in no seal; a settled id is in one, or was rolled back.
_UNSEALED = """
    SELECT coalesce(extract(epoch FROM now() - min(at)), 0) FROM audit_auditevent event
    WHERE id > (SELECT coalesce(max(settled), 0) FROM audit_seal)
    AND NOT EXISTS (SELECT FROM audit_seal WHERE last_id >= event.id AND event.id = ANY(event_ids))
"""


@dataclass(frozen=True)
class Counts:
    """`lost`: our side believes what is not so. `invisible`: nobody looks for it. `accepted`: by both."""

    sent: int
    delivered_once: int
    doubled: int
    lost: int
    invisible: int
    accepted: int

    @property
    def is_good(self) -> bool:
        return not (self.doubled or self.lost or self.invisible)


class Books:
    """The run's database, asked from outside all of its programs."""

    def __init__(self, url: str, partners: list[str]) -> None:
        self._url, self._partners = url, partners

    def counts(self) -> Counts:
        return Counts(*self._ask(_COUNTS, self._partners)[0])

    def unsettled(self) -> int:
        return int(self._ask(_UNSETTLED, self._partners)[0][0])

    def waiting(self) -> list[str]:
        """What waits, with its reason and until when."""
        return [str(each) for (each,) in self._ask(_WAITING, self._partners)]

    def hit(self) -> int:
        """Messages with an attempt that did not end well at once."""
        return int(self._ask(_HIT, self._partners)[0][0])

    def slowest(self, partners: list[str]) -> float:
        return float(self._ask(_SLOWEST, partners)[0][0])

    def _ask(self, text: str, partners: list[str]) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url, autocommit=True) as database:
            return database.execute(text.encode(), [partners]).fetchall()


class SealWatch:
    """Looks each second how old the oldest event is that is not sealed yet."""

    def __init__(self, url: str) -> None:
        self.slowest = 0.0
        self._url, self._over = url, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=2) as database:
                    row = database.execute(_UNSEALED.encode()).fetchone()
            except psycopg.OperationalError:
                continue
            self.slowest = max(self.slowest, float(row[0]) if row else 0.0)
