"""The version a request asks for in its Accept header, read the way the live proxy reads it.

Source: api.md section 7, step 4.
"""

import re

DEFAULT_VERSION = 10000
DOCUMENT_REFERENCE_VERSION = 10100
_THREE_NUMBERS = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")


def accepted_version(accept: str) -> int:
    """The highest `version=X.Y.Z` as X*10000+Y*100+Z; 1.0.0 where none is given; 0 without Accept."""
    if not accept:
        return 0
    parameters = (part.strip() for member in accept.split(",") for part in member.split(";")[1:])
    versions = (_number(part) for part in parameters if part.lower().startswith("version"))
    return max(DEFAULT_VERSION, *versions, 0)


def _number(parameter: str) -> int:
    found = _THREE_NUMBERS.fullmatch(parameter.partition("=")[2].strip().strip('"'))
    if not found:
        return 0
    major, minor, patch = (int(part) for part in found.groups())
    return major * 10000 + minor * 100 + patch
