"""The endpoint catalogue: which base URL a target identifier leads to.

Shape (api.md section 5, "Routing today"): {"NHSD-Target-Identifier": {system: {value: base URL}}}.
"""

from collections.abc import Mapping
from pathlib import Path

import orjson

from bars_portal.simulator.catalogue_resolving import Resolver
from bars_portal.simulator.outcomes import ProxyError, Refused
from bars_portal.simulator.target import TARGET_HEADER, Target
from bars_portal.simulator.watched import WatchedFile

Routes = Mapping[str, Mapping[str, str]]


class Catalogue:
    """catalogue.json, parsed again whenever it changed; then the catalogue's own resources."""

    def __init__(self, path: Path, *, resolver: Resolver) -> None:
        self._resolver = resolver
        self._file: WatchedFile[Routes] = WatchedFile(path, parse=_parse, empty={})

    def base_url(self, target: Target) -> str:
        """The base URL without its trailing slash. Raises Refused; CatalogueRefused for several.

        A known system with an unknown value is 404 PROXY_NOT_FOUND; an unknown system breaks the live proxy's
        script, which its error handler turns into a 500 (api.md section 7, step 7).
        """
        routes = self._file.read()
        routed = routes.get(target.system, {}).get(target.value)
        base_url = routed or self._resolver.address(target)
        if base_url is None and target.system not in routes:
            raise Refused(ProxyError.RECEIVER_ERROR)
        if not base_url:
            raise Refused(ProxyError.TARGET_UNKNOWN)
        return base_url.removesuffix("/")


def _parse(content: bytes) -> Routes:
    loaded = orjson.loads(content)
    routes = loaded.get(TARGET_HEADER) if isinstance(loaded, dict) else None
    if not isinstance(routes, dict) or not all(isinstance(entries, dict) for entries in routes.values()):
        raise ValueError("catalogue.json must map systems to values to base URLs")
    return routes
