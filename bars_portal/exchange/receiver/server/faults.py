"""The bare answers to what is not even HTTP; a request that parses gets an OperationOutcome elsewhere."""

import ssl

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


def answer_to(error: BaseException) -> tuple[int, str]:
    """Status and reason phrase."""
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer
    return (500, "Internal Server Error")
