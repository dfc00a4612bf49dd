"""Resources in the database: JSON whose decimals keep the precision that they were sent with."""

import json
from typing import Any

import orjson

from bars_portal.exchange.fhir.json import parse_decimal, write_exactly


class ResourceEncoder(json.JSONEncoder):
    """What PostgreSQL stores: its numbers keep trailing zeros."""

    def encode(self, o: Any) -> str:
        return orjson.dumps(o, default=write_exactly).decode()


class ResourceDecoder(json.JSONDecoder):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "parse_float": parse_decimal})
