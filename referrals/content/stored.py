"""Content as JSON keeps it, and back."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from referrals.content.request import RequestContent

_ADAPTER = TypeAdapter(RequestContent)


class ContentInvalid(Exception):
    """`fields` names what is wrong, such as "places.0.uprn"; never what was stated there."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(f"These parts of the request are missing or cannot be used: {', '.join(fields)}")
        self.fields = fields


def content_to_json(content: RequestContent) -> dict[str, Any]:
    """Plain JSON; numbers as text, so that none is rounded."""
    dumped: dict[str, Any] = _ADAPTER.dump_python(content, mode="json")
    return dumped


def content_from_json(stored: object) -> RequestContent:
    """Raises ContentInvalid."""
    try:
        return _ADAPTER.validate_python(stored)
    except ValidationError as error:
        found = (".".join(str(step) for step in each["loc"]) or "request" for each in error.errors())
        fields = tuple(dict.fromkeys(found))
    # Outside the handler: the library's own error, which holds what was stated, is not kept as its context.
    raise ContentInvalid(fields)
