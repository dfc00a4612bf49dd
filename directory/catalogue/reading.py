"""One way to read them all: a source's name and its bytes."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from directory.catalogue import local_list, resources, routes
from directory.catalogue.entries import AddressRules, Catalogue, refuse

Json = dict[str, Any]


def read_catalogue(source: str, content: bytes, *, addresses: AddressRules) -> Catalogue:
    """`source` is "routes", "csv" or "api". Raises BadCatalogue, and KeyError for another source."""
    return _READERS[source](content, addresses)


def pack_answers(
    *, organisations: Sequence[str], services: Sequence[Json], endpoints: Sequence[Json]
) -> bytes:
    """What the API answered as one file, so that it is previewed and applied like one."""
    return orjson.dumps({"organisations": organisations, "services": services, "endpoints": endpoints})


def _read_answers(content: bytes, addresses: AddressRules) -> Catalogue:
    packed = orjson.loads(content)
    if not isinstance(packed, dict) or set(packed) != {"organisations", "services", "endpoints"}:
        raise refuse("File", "these are no answers of the Endpoint Catalogue API")
    return resources.read_resources(**packed, addresses=addresses)


_READERS: dict[str, Callable[[bytes, AddressRules], Catalogue]] = {
    routes.SOURCE: lambda content, addresses: routes.read_routes(content, addresses=addresses),
    local_list.SOURCE: lambda content, addresses: local_list.read_local_list(content, addresses=addresses),
    resources.SOURCE: _read_answers,
}
