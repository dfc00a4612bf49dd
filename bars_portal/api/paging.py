"""Pages of a list by cursor: stable while rows come and go, and no count of pages to be wrong about."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.db.models import Model
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.operations import Json, Parameter, object_of, optional, text
from bars_portal.api.problems import FieldFault, invalid

R = TypeVar("R", bound=Model)
USUAL, MOST = 25, 100

PARAMETERS = (
    Parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        "How many of the list this page may hold.",
    ),
    Parameter(
        "cursor",
        {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
        "Where to go on: from the address in next.",
    ),
)


@dataclass(frozen=True)
class Asked:
    """Which page is wanted. `after` is what the page before gave to `page_of`; () at the beginning."""

    limit: int
    after: tuple[str | int, ...]


def asked_page(request: Request, *, kinds: tuple[type, ...]) -> Asked:
    """From the address; a cursor must hold values of these `kinds`. Raises Problem."""
    faults: list[FieldFault] = []
    limit, after = USUAL, tuple[str | int, ...]()
    wanted = request.query_params.get("limit")
    if wanted is not None:
        plain = wanted.isascii() and wanted.isdigit() and len(wanted) <= len(str(MOST))
        limit = int(wanted) if plain else 0
        if not 1 <= limit <= MOST:
            faults.append(FieldFault(f"limit must be a number from 1 to {MOST}.", parameter="limit"))
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        read = _read(cursor, kinds)
        if read is None:
            faults.append(FieldFault("cursor must be one that the API gave.", parameter="cursor"))
        else:
            after = read
    if faults:
        raise invalid(faults)
    return Asked(limit, after)


def place_of(after: tuple[str | int, ...], faults: list[FieldFault]) -> tuple[datetime, UUID] | None:
    """Where the page before ended, in a list by time: that of its last row, and its id."""
    if not after:
        return None
    try:
        at, pk = datetime.fromisoformat(str(after[0])), UUID(str(after[1]))
        if at.tzinfo is not None:
            return at, pk
    except ValueError:
        pass
    faults.append(FieldFault("cursor must be one that the API gave.", parameter="cursor"))
    return None


def page_by_time(
    request: Request,
    rows: Sequence[R],
    asked: Asked,
    *,
    at: Callable[[R], datetime],
    show: Callable[[R], Json],
) -> Response:
    """Of `rows`, one more than the page may hold where the list goes on; `at` is what they are sorted by."""
    shown, following = rows[: asked.limit], None
    if len(rows) > asked.limit:
        following = (at(shown[-1]).isoformat(), str(shown[-1].pk))
    return page_response(request, [show(each) for each in shown], following)


def page_response(request: Request, items: list[Json], following: tuple[str | int, ...] | None) -> Response:
    """{"items": [...], "next": address or null}, with the same in Link (RFC 8288)."""
    body: Json = {"items": items, "next": None}
    if following is None:
        return Response(body)
    kept = [(name, value) for name, value in _pairs(request) if name != "cursor"]
    query = urlencode([*kept, ("cursor", _written(following))])
    body["next"] = request.build_absolute_uri(f"{request.path}?{query}")
    return Response(body, headers={"Link": f'<{body["next"]}>; rel="next"'})


def page_schema(item: Json) -> Json:
    return object_of(
        {
            "items": {"type": "array", "items": item},
            "next": optional(text("The address of the next page; null on the last.", format="uri")),
        }
    )


def _pairs(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.query_params.lists() for value in values]


def _written(values: tuple[str | int, ...]) -> str:
    return urlsafe_b64encode(orjson.dumps(list(values))).decode().rstrip("=")


def _read(cursor: str, kinds: tuple[type, ...]) -> tuple[str | int, ...] | None:
    if not cursor.isascii() or len(cursor) > 300:
        return None
    try:
        values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (NotBase64, ValueError):
        return None
    if not isinstance(values, list) or [type(each) for each in values] != list(kinds):
        return None
    return tuple(values)
