"""What is not even HTTP: a plain answer, and a log line that repeats nothing of it."""

import ssl
from typing import Any

from gunicorn import util
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)

_ANSWERS: tuple[tuple[type[BaseException], tuple[int, str]], ...] = (
    # The application's own mistakes, though gunicorn derives them from the client's.
    (InvalidResponseHeader, (500, "Internal Server Error")),
    (InvalidResponseHeaderName, (500, "Internal Server Error")),
    (LimitRequestLine, (414, "URI Too Long")),
    (LimitRequestHeaders, (431, "Request Header Fields Too Large")),
    (ExpectationFailed, (417, "Expectation Failed")),
    # An unknown transfer coding too: RFC 9112 would say 501, but no 5xx is ours when the request is at fault.
    (ParseException, (400, "Bad Request")),
    (ssl.SSLError, (400, "Bad Request")),
)


def handle_mistake(log: Any, client: Any, address: str, error: BaseException) -> None:
    """`log` is gunicorn's, `client` the socket."""
    status, reason = answer_to(error)
    kind = type(error).__name__
    if status == 500:
        log.error("Request of %s failed: %s", address, kind, exc_info=True)
    else:
        log.warning("Request of %s not understood: %s", address, kind)
    if not isinstance(error, ssl.SSLError):
        util.write_error(client, status, reason, "")


def answer_to(error: BaseException) -> tuple[int, str]:
    """Status and reason phrase for what is not even HTTP: what parses gets an OperationOutcome elsewhere."""
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer
    return (500, "Internal Server Error")
