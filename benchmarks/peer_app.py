"""The peer: a FHIR server written as fhirstarter documents it. Runs in a virtual environment of its own.

PEER_DATABASE_URL names the database: it writes Bundles into `peer_bundle`, reads slots from `bookings_slot`
and what goes with them from `peer_included`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.slot import Slot
from fhirstarter import FHIRProvider, FHIRStarter, InteractionContext
from psycopg_pool import AsyncConnectionPool

INSERT = "INSERT INTO peer_bundle (id, resource) VALUES (%s, %s)"
SLOTS = (
    "SELECT s.id, s.schedule_id, s.status, s.start, s.end, s.updated_at FROM bookings_slot s"
    " JOIN directory_healthcareservice h ON h.id = s.service_id"
    " WHERE h.service_id = %s AND s.status = %s AND s.start >= %s AND s.start <= %s"
    " ORDER BY s.start, s.schedule_id"
)
INCLUDED = "SELECT url, resource FROM peer_included"
PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Slot"

pool = AsyncConnectionPool(
    os.environ["PEER_DATABASE_URL"], min_size=8, max_size=20, kwargs={"autocommit": True}, open=False
)
provider = FHIRProvider()


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    async with pool:
        yield


@provider.create(Bundle)  # type: ignore[untyped-decorator]  # fhirstarter is not installed here
async def create_bundle(context: InteractionContext, resource: Bundle) -> str:
    """The resource as JSON, one insert, committed."""
    id_ = str(uuid4())
    async with pool.connection() as connection:
        await connection.execute(INSERT, (id_, resource.model_dump_json()))
    return id_


@provider.search_type(Slot)  # type: ignore[untyped-decorator]  # the same
async def search_slots(
    context: InteractionContext, schedule: str | None, status: str | None, start: list[str] | None
) -> Bundle:
    """`schedule` names the service; two starts, ge and le. An index serves the query."""
    begin, end = (each[2:] for each in sorted(start or []))
    async with pool.connection() as connection:
        slots = await (await connection.execute(SLOTS, (schedule, status, begin, end))).fetchall()
        included = await (await connection.execute(INCLUDED)).fetchall()
    return Bundle(
        type="searchset",
        total=len(slots),
        entry=[*map(slot_entry, slots), *(included_entry(url, each) for url, each in included)],
    )


def slot_entry(row: tuple[Any, ...]) -> dict[str, Any]:
    ident, schedule, status, start, end, updated = row
    resource = {
        "resourceType": "Slot",
        "id": str(ident),
        "meta": {"lastUpdated": updated, "profile": [PROFILE]},
        "schedule": {"reference": f"urn:uuid:{schedule}"},
        "status": status,
        "start": start,
        "end": end,
    }
    return {"fullUrl": f"urn:uuid:{ident}", "resource": resource, "search": {"mode": "match"}}


def included_entry(url: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {"fullUrl": url, "resource": resource, "search": {"mode": "include"}}


app = FHIRStarter(lifespan=lifespan)
app.add_providers(provider)
