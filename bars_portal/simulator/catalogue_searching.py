"""Searches of the Endpoint Catalogue API: its parameters, and pages of twenty."""

from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, urlencode

from bars_portal.simulator.catalogue_outcomes import CatalogueError, CatalogueRefused
from bars_portal.simulator.catalogue_resources import (
    CONNECTION_SYSTEM,
    ENDPOINT,
    ODS_SYSTEM,
    PAYLOAD_SYSTEM,
    SERVICE,
    TEMPLATE,
    Resource,
    bare,
    codes,
    endpoint_ids,
    identifiers,
    organisations,
)
from bars_portal.simulator.catalogue_store import CatalogueStore

PAGE = 20
TOKEN = "page-token"  # noqa: S105 - a place in the results
_HAS = "_has"
Params = list[tuple[str, str]]
Test = Callable[[Resource], bool]


def search(
    store: CatalogueStore, kind: str, query: str, *, url: str
) -> tuple[list[Resource], list[Resource]]:
    """One page of resources, and its links. Raises CatalogueRefused for parameters that are not served."""
    params = [_named(pair) for pair in parse_qsl(query, keep_blank_values=True)]
    start = _start([value for name, value in params if name == TOKEN])
    wanted = [pair for pair in params if pair[0] != TOKEN]
    tests = [_test(store, kind, name, value) for name, value in wanted]
    _need_all(kind, [name for name, _ in wanted])
    found = [each for each in store.all(kind) if all(test(each) for test in tests)]
    links = [{"relation": "self", "url": f"{url}?{urlencode(params)}"}]
    if len(found) > start + PAGE:
        following = urlencode([*wanted, (TOKEN, str(start + PAGE))])
        links.append({"relation": "next", "url": f"{url}?{following}"})
    return found[start : start + PAGE], links


def _named(pair: tuple[str, str]) -> tuple[str, str]:
    """The specification writes `_has:HealthcareService.Id=x` and `_has` with the rest as its value."""
    name, value = pair
    if name == _HAS:
        name, _, value = f"{_HAS}:{value}".partition("=")
    return name, value


def _start(tokens: Sequence[str]) -> int:
    if not tokens:
        return 0
    if not (tokens[0].isascii() and tokens[0].isdigit() and len(tokens[0]) < 10):
        raise CatalogueRefused(CatalogueError.VALUE, f"{TOKEN}: this is no page.")
    return int(tokens[0])


def _need_all(kind: str, names: Sequence[str]) -> None:
    needed = {"Endpoint.identifier", "ConnectionType", "PayloadType"} if kind == TEMPLATE else set()
    if missing := sorted(needed - set(names)):
        raise CatalogueRefused(CatalogueError.REQUIRED, f"The parameter {missing[0]} is missing.")
    if not names:
        raise CatalogueRefused(CatalogueError.REQUIRED, "A parameter to search by is missing.")


def _test(store: CatalogueStore, kind: str, name: str, value: str) -> Test:
    made = _TESTS.get((kind, name))
    if made is None:
        raise CatalogueRefused(CatalogueError.VALUE, f"The parameter {name[:60]} is not served here.")
    return made(store, value)


def _token(text: str) -> tuple[str, str]:
    system, bar, value = text.rpartition("|")
    if not (bar and system and value):
        raise CatalogueRefused(CatalogueError.VALUE, "An identifier is written as system|value.")
    return bare(system), value


def _identified(_store: CatalogueStore, text: str) -> Test:
    wanted = _token(text)
    return lambda resource: wanted in identifiers(resource)


def _provided(_store: CatalogueStore, text: str) -> Test:
    system, code = _token(text)
    if system != bare(ODS_SYSTEM):
        raise CatalogueRefused(CatalogueError.VALUE, "An organisation is named by its ODS code.")
    return lambda resource: code.upper() in organisations(resource.get("providedBy"))


def _of_service(store: CatalogueStore, text: str) -> Test:
    wanted = _token(text)
    ids = {
        key
        for service in store.all(SERVICE)
        if wanted in identifiers(service)
        for key in endpoint_ids(service)
    }
    return lambda resource: resource["id"] in ids


def _of_service_id(store: CatalogueStore, text: str) -> Test:
    service = store.get(SERVICE, text.lower())
    ids = set(endpoint_ids(service)) if service else set()
    return lambda resource: resource["id"] in ids


def _coded(member: str, expected: str) -> Callable[[CatalogueStore, str], Test]:
    def made(_store: CatalogueStore, text: str) -> Test:
        system, code = _token(text)
        if system != bare(expected):
            raise CatalogueRefused(CatalogueError.VALUE, f"{member} has codes of {expected}.")
        return lambda resource: code in codes(resource.get(member))

    return made


_TESTS: dict[tuple[str, str], Callable[[CatalogueStore, str], Test]] = {
    (SERVICE, "HealthcareService.providedBy"): _provided,
    (SERVICE, "HealthcareService.identifier"): _identified,
    (ENDPOINT, "_has:HealthcareService.Identifier"): _of_service,
    (ENDPOINT, "_has:HealthcareService.Id"): _of_service_id,
    (ENDPOINT, "Endpoint.identifier"): _identified,
    (TEMPLATE, "Endpoint.identifier"): _identified,
    (TEMPLATE, "ConnectionType"): _coded("connectionType", CONNECTION_SYSTEM),
    (TEMPLATE, "PayloadType"): _coded("payloadType", PAYLOAD_SYSTEM),
}
