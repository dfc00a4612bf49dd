"""NHSD-End-User-Organisation: base64 of an Organization, read leniently. Source: api.md section 2."""

import base64
import binascii
import re

import orjson

ORGANISATION_HEADER = "NHSD-End-User-Organisation"
_ODS_CODE = re.compile(r"[A-Za-z0-9.-]{1,20}")


def organisation_code(header: str) -> str:
    """The ODS code that the header names, upper case; empty when it names none that could be one."""
    try:
        content = orjson.loads(base64.b64decode(header.encode("ascii", "ignore"), validate=False))
    except (binascii.Error, orjson.JSONDecodeError):
        return ""
    identifiers = content.get("identifier") if isinstance(content, dict) else None
    # FHIR wants a list; a single object is what some senders write.
    listed = identifiers if isinstance(identifiers, list) else [identifiers]
    values = (str(each.get("value", "")).strip() for each in listed if isinstance(each, dict))
    return next((value.upper() for value in values if _ODS_CODE.fullmatch(value)), "")
