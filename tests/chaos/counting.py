"""What became of the messages of a run, counted on both sides of the wire."""

from dataclasses import dataclass

import psycopg

# A message counts as delivered by what the receiving side holds, whatever the sending side believes.
_COUNTS = """
    SELECT
        count(*),
        count(*) FILTER (WHERE held = 1),
        count(*) FILTER (WHERE held > 1 OR cases > 1),
        count(*) FILTER (WHERE held = 0 AND state IN ('accepted', 'refused')),
        count(*) FILTER (WHERE held = 0 AND NOT is_visible AND state NOT IN ('accepted', 'refused')),
        count(*) FILTER (WHERE held = 1 AND state <> 'accepted')
    FROM (
        SELECT
            sent.state,
            (SELECT count(*) FROM exchange_inboundmessage kept
             WHERE kept.request_id = sent.request_id AND kept.state = 'accepted') AS held,
            (SELECT count(*) FROM referrals_referral received
             WHERE received.direction = 'received'
             AND received.correlation_id = sent.correlation_id) AS cases,
            sent.state IN ('queued', 'abandoned')
                OR (sent.state = 'unknown' AND sent.next_attempt_at IS NOT NULL)
                OR (sent.state = 'sending' AND sent.lease_until > now()) AS is_visible
        FROM exchange_outboundmessage sent
        WHERE sent.service_id = ANY(%s)
    ) AS each
"""
_UNSETTLED = """
    SELECT count(*) FROM exchange_outboundmessage
    WHERE state <> 'accepted' AND service_id = ANY(%s)
"""
_HIT = """
    SELECT count(DISTINCT attempt.message_id) FROM exchange_deliveryattempt attempt
    JOIN exchange_outboundmessage sent ON sent.id = attempt.message_id
    WHERE attempt.outcome IN ('unknown', '') AND sent.service_id = ANY(%s)
"""
# The longest that a message to a partner without any fault took, from its request to its answer.
_SLOWEST = """
    SELECT coalesce(max(extract(epoch FROM settled_at - created_at)), 0) FROM exchange_outboundmessage
    WHERE state = 'accepted' AND service_id = ANY(%s)
"""


@dataclass(frozen=True)
class Counts:
    """`waiting`: delivered, and the sending side does not know it yet. `invisible`: nobody looks for it."""

    sent: int
    delivered_once: int
    doubled: int
    lost: int
    invisible: int
    waiting: int

    @property
    def is_good(self) -> bool:
        return not (self.doubled or self.lost or self.invisible)


class Books:
    """The run's database, asked from outside all of its programs."""

    def __init__(self, url: str, partners: list[str]) -> None:
        self._url, self._partners = url, partners

    def counts(self) -> Counts:
        return Counts(*self._ask(_COUNTS, self._partners))

    def unsettled(self) -> int:
        return int(self._ask(_UNSETTLED, self._partners)[0])

    def hit(self) -> int:
        """Messages with an attempt that had no clear end."""
        return int(self._ask(_HIT, self._partners)[0])

    def slowest(self, partners: list[str]) -> float:
        return float(self._ask(_SLOWEST, partners)[0])

    def _ask(self, text: str, partners: list[str]) -> tuple[int, ...]:
        with psycopg.connect(self._url, autocommit=True) as database:
            row = database.execute(text, [partners]).fetchone()
        assert row is not None
        return row
