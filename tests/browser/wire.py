"""What happens behind the pages: fault drills, what others do meanwhile, and what was written."""

import json
import urllib.request
from typing import Any

import psycopg

from tests.stack import Stack


class Wire:
    """Plain SQL: while chromium runs, the ORM may not be used in this thread."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._drilled: set[str] = set()
        self._database = psycopg.connect(stack.environment["OWNER_DATABASE_URL"], autocommit=True)

    def end(self) -> None:
        self._database.close()
        for service in self._drilled:
            self._ask("DELETE", None, service)

    def drill(self, service: str, fault: str, *, method: str = "POST") -> None:
        """The next message to the service meets this fault."""
        self._drilled.add(service)
        self._ask("POST", {"service": service, "fault": fault, "times": 1, "method": method})

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.execute(query, values).fetchall()

    def do(self, statement: str, *values: object) -> None:
        self._database.execute(statement, values)

    def slot_status(self, slot_id: str) -> str:
        return str(self.rows("SELECT status FROM bookings_slot WHERE id = %s", slot_id)[0][0])

    def take(self, slot_id: str) -> None:
        """Somebody else has the slot now."""
        self.do("UPDATE bookings_slot SET status = 'busy' WHERE id = %s", slot_id)

    def cancel_at_the_service(self, slot_id: str) -> None:
        """The service itself cancels what was booked on the slot, without telling anybody."""
        self.do(
            "UPDATE bookings_booking SET status = 'cancelled', "
            "resource = jsonb_set(resource, '{status}', '\"cancelled\"') "
            "WHERE slot_id = %s AND direction = 'received'",
            slot_id,
        )
        self.do("UPDATE bookings_slot SET status = 'free' WHERE id = %s", slot_id)

    def booked_on(self, slot_id: str) -> int:
        """How many bookings stand on the slot in the receiver's diary."""
        query = (
            "SELECT count(*) FROM bookings_booking "
            "WHERE slot_id = %s AND direction = 'received' AND status = 'booked'"
        )
        return int(self.rows(query, slot_id)[0][0])

    def _ask(self, method: str, content: object, service: str = "") -> None:
        request = urllib.request.Request(
            f"{self.stack.simulator}/simulator/faults{service and '/'}{service}",
            data=None if content is None else json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status < 300
