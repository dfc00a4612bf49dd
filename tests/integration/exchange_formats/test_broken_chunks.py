"""A body in chunks that break their own framing: the sender's fault, told as such (found by fuzzing)."""

import json
from typing import Any

import pytest
from django.test import Client
from gunicorn.config import Config
from gunicorn.http.body import Body
from gunicorn.http.parser import RequestParser

from tests.integration.exchange_formats.conftest import BASE, JSON, Partner

_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_PIECE = 8192


def as_the_server_reads(chunks: bytes) -> Body:
    sent = _HEAD + chunks
    pieces = (sent[start : start + _PIECE] for start in range(0, len(sent), _PIECE))
    return next(RequestParser(Config(), pieces, None)).body


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nhello\r\n",
        b"-5\r\nhello\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nBad Trailer\r\n\r\n",
        b"5;" + b"x" * 70_000 + b"\r\nhello\r\n0\r\n\r\n",
        b"2dc6c0\r\n" + b" " * 3_000_000 + b"XX",
    ],
    ids=["no-number", "negative", "blank", "no-line-end", "trailer", "extension", "too-large"],
)
def test_broken_chunks_are_a_bad_request(partner: Partner, chunks: bytes) -> None:
    answer: Any = Client().post(
        f"{BASE}/$process-message",
        headers={**partner._usual(), "Content-Type": JSON},
        **{"wsgi.input": as_the_server_reads(chunks), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )

    told = json.loads(answer.content)
    assert (answer.status_code, told["resourceType"]) == (400, "OperationOutcome")
    assert told["issue"][0]["code"] == "invalid"
    assert answer.headers["X-Request-ID"]
