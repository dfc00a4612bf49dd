"""Messages on their way to a receiver that a breakage reads: what is in them, and two ways to go wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.live.spoiling import Asked, Breakage, Told, refused

Resource = dict[str, Any]
Change = Callable[[Resource], None]


def message_in(asked: Asked) -> Resource | None:
    """The Bundle in a JSON body, else None."""
    try:
        read = json.loads(asked.body)
    except ValueError:
        return None
    return read if isinstance(read, dict) and isinstance(read.get("entry"), list) else None


def all_of(message: Resource, kind: str) -> list[Resource]:
    found = (each.get("resource") for each in message["entry"] if isinstance(each, dict))
    return [each for each in found if isinstance(each, dict) and each.get("resourceType") == kind]


def one_of(message: Resource, kind: str) -> Resource:
    return next(iter(all_of(message, kind)), {})


def urls_of(message: Resource) -> set[str]:
    return {str(each.get("fullUrl")) for each in message["entry"]}


def patients_of(message: Resource) -> list[str]:
    """The fullUrl of each Patient."""
    return [
        str(each.get("fullUrl"))
        for each in message["entry"]
        if each.get("resource") in all_of(message, "Patient")
    ]


def codes_of(request: Resource) -> set[str]:
    return {str(code.get("code")) for each in request.get("category", []) for code in each.get("coding", [])}


def is_answer(message: Resource) -> bool:
    return "servicerequest-response" in json.dumps(one_of(message, "MessageHeader").get("eventCoding"))


def is_end(message: Resource) -> bool:
    return one_of(message, "Appointment").get("status") in ("cancelled", "entered-in-error")


def refuses(such: Callable[[Resource], bool], status: int = 400) -> Breakage:
    """Refuses messages that are such."""

    def way_in(asked: Asked) -> Asked | Told:
        message = message_in(asked)
        return refused(status, asked) if message is not None and such(message) else asked

    return Breakage(way_in=way_in)


def mends(change: Change) -> Breakage:
    """Takes messages as if they were so: they are changed before anybody judges them."""

    def way_in(asked: Asked) -> Asked:
        message = message_in(asked)
        if message is None:
            return asked
        before = json.dumps(message)
        change(message)
        after = json.dumps(message)
        return asked if after == before else replace(asked, body=after.encode())

    return Breakage(way_in=way_in)
