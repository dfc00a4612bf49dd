"""The bare answers to what is not even HTTP; a request that parses gets an OperationOutcome elsewhere."""

import ssl

from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

_ANSWERS: tuple[tuple[type[BaseException], tuple[int, str]], ...] = (
    # The application's own mistakes, though gunicorn derives them from the client's.
    (InvalidResponseHeader, (500, "Internal Server Error")),
    (InvalidResponseHeaderName, (500, "Internal Server Error")),
    (LimitRequestLine, (414, "URI Too Long")),
    (LimitRequestHeaders, (431, "Request Header Fields Too Large")),
    (UnsupportedTransferCoding, (501, "Not Implemented")),
    (ExpectationFailed, (417, "Expectation Failed")),
    (ParseException, (400, "Bad Request")),
    (ssl.SSLError, (400, "Bad Request")),
)


def answer_to(error: BaseException) -> tuple[int, str]:
    """Status and reason phrase."""
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer
    return (500, "Internal Server Error")
