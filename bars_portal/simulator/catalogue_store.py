"""What the catalogue holds, in memory and in a file of its own, written whole after each change."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from threading import RLock

import orjson

from bars_portal.simulator.catalogue_resources import ENDPOINT, SERVICE, TEMPLATE, Resource

log = logging.getLogger("simulator")
FILE = "endpoint-catalogue.json"


class CatalogueStore:
    """Resources by kind and id. Safe between threads; `lock` joins a look and the write after it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.lock = RLock()
        self._kinds: dict[str, dict[str, Resource]] = self._load()

    def get(self, kind: str, key: str) -> Resource | None:
        with self.lock:
            return self._kinds[kind].get(key)

    def all(self, kind: str) -> Iterator[Resource]:
        """As of now, in the order in which they came."""
        with self.lock:
            return iter(list(self._kinds[kind].values()))

    def put(self, kind: str, key: str, resource: Resource) -> None:
        with self.lock:
            self._kinds[kind][key] = resource
            self._save()

    def delete(self, kind: str, key: str) -> None:
        with self.lock:
            self._kinds[kind].pop(key, None)
            self._save()

    def _load(self) -> dict[str, dict[str, Resource]]:
        empty: dict[str, dict[str, Resource]] = {kind: {} for kind in (SERVICE, ENDPOINT, TEMPLATE)}
        try:
            kept = orjson.loads(self._path.read_bytes())
        except FileNotFoundError:
            return empty
        except (OSError, ValueError):
            log.warning("%s could not be read: the catalogue starts empty", FILE)
            return empty
        return {kind: dict(kept.get(kind, {})) for kind in empty}

    def _save(self) -> None:
        """Beside the old one, then in its place: a reader never sees half of it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(self._kinds))
        os.replace(fresh, self._path)  # noqa: PTH105 - atomic, and says so
