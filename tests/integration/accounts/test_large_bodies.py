"""A large body is refused before anything reads it, above all before sign-in."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/directory/catalogueimport/add/"


class Unread:
    """A body of which nothing may be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def post(client: Client, path: str, length: int) -> int:
    """Announces a body of `length` bytes, as a form with a file."""
    kind = "multipart/form-data; boundary=x"
    environ: Any = {"CONTENT_LENGTH": str(length), "wsgi.input": Unread()}
    answer = client.generic("POST", path, b"", content_type=kind, **environ)
    return answer.status_code


@pytest.mark.parametrize("path", ["/accounts/sign-in/", "/", UPLOAD, "/no/such/page"])
def test_a_stranger_sends_nothing_large(client: Client, path: str) -> None:
    assert post(client, path, 2_500_001) == 413
    assert post(client, path, 200_000_000) == 413


def test_only_the_upload_takes_more_and_only_so_much(client: Client) -> None:
    client.force_login(make_user())
    assert post(client, "/accounts/sign-in/", 2_500_001) == 413
    assert post(client, UPLOAD, 11_000_001) == 413
    assert post(client, UPLOAD, 11_000_000) != 413, "let through to the page, which asks for the right to it"


def test_what_a_stranger_may_send_is_never_on_disk(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "nowhere")
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = head + b"x" * 2_400_000 + b"\r\n--x--\r\n"
    answer = client.post("/accounts/sign-in/", body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 200, "a temporary file would have failed"
