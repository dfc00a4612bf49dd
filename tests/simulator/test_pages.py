"""The simulator's pages: what came by, the zip, and the self-test, without a browser."""

import io
import json
import time
import zipfile
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.selftest import pages
from bars_portal.simulator.selftest.pages import Run
from bars_portal.simulator.web.pages import render
from tests.simulator.conftest import CallProxy
from tests.simulator.selftest.conftest import Puppet, puppet
from tests.simulator.support import Reply, ask_token, call_app, form, sign
from tests.simulator.test_journal import WASP

__all__ = ["puppet"]
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Host": "localhost:8010"}
OWN = FORM | {"Origin": "http://localhost:8010"}


def get(app: WsgiApp, place: str, peer: str = "127.0.0.1") -> Reply:
    return call_app(app, "GET", place, peer=peer)


def test_requests_are_listed_by_organisation_with_their_verdict(app: WsgiApp, proxy: CallProxy) -> None:
    proxy("GET", "/metadata", headers={"NHSD-End-User-Organisation": WASP})
    proxy("POST", "/$process-message", body=b"{}")

    page = get(app, "/").body.decode()
    theirs = get(app, "/?organisation=WASP").body.decode()

    assert "GET /metadata" in page
    assert "POST /$process-message" in page
    assert "The body is no FHIR Bundle" in page
    assert '<option value="WASP">WASP</option>' in page
    assert "GET /metadata" in theirs
    assert "POST /$process-message" not in theirs


def test_looking_is_no_request(app: WsgiApp) -> None:
    get(app, "/")
    get(app, "/selftest")

    assert "No requests yet." in get(app, "/").body.decode()


def test_one_request_is_shown_decoded_and_as_text(app: WsgiApp, proxy: CallProxy) -> None:
    proxy("POST", "/$process-message", headers={"NHSD-End-User-Organisation": WASP}, body=b'{"a": "<b>"}')

    page = get(app, "/requests/2").body.decode()

    assert "&#34;value&#34;: &#34;wasp&#34;" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "Bearer" not in page


def test_the_reason_of_a_refused_assertion_is_told(app: WsgiApp, private_key: RSAPrivateKey) -> None:
    ask_token(app, form(sign(private_key, aud="elsewhere")))

    assert "Missing or invalid &#39;aud&#39; claim" in get(app, "/").body.decode()


def test_the_zip_holds_a_page_json_and_the_raw_messages(app: WsgiApp, proxy: CallProxy) -> None:
    proxy("GET", "/metadata")
    proxy(
        "POST",
        "/$process-message",
        headers={"NHSD-End-User-Organisation": WASP, "Content-Type": "application/fhir+json"},
        body=b'{"a": 1}',
    )

    answer = get(app, "/requests.zip?organisation=WASP")

    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.read("messages/0003-request.json") == b'{"a": 1}'
        (told,) = json.loads(archive.read("requests.json"))
        page = archive.read("index.html").decode()
    assert (told["organisation"], told["verdict"]) == ("WASP", "wrong")
    assert any(each["outcome"] == "wrong" for each in told["checks"])
    assert 'href="messages/0003-request.json"' in page
    assert "test patient" in page
    assert "http://" not in page.replace("http://127.0.0.1", ""), "nothing is loaded from elsewhere"


def test_nothing_for_strangers(app: WsgiApp) -> None:
    for place in ("/", "/requests/1", "/requests.zip", "/selftest", "/selftest/1"):
        assert get(app, place, peer="10.1.2.3").status == 404, place


@pytest.mark.parametrize("place", ["/requests/99", "/selftest/99", "/selftest/99.zip"])
def test_what_is_not_there(app: WsgiApp, place: str) -> None:
    answer = get(app, place)

    assert (answer.status, b"It is not here" in answer.body) == (404, True)


def test_a_page_loads_nothing_and_is_not_kept(app: WsgiApp) -> None:
    headers = get(app, "/").headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def start(app: WsgiApp, fields: dict[str, str], headers: dict[str, str] = OWN) -> Reply:
    return call_app(app, "POST", "/selftest", headers, urlencode(fields).encode())


def test_a_self_test_is_started_watched_and_downloaded(app: WsgiApp, puppet: Puppet) -> None:
    puppet.echo = False
    started = start(
        app, {"target": puppet.url, "service": "2000099999", "scenarios": "HDR-01, IDS-08 TLS-01"}
    )
    assert (started.status, started.headers["location"]) == (303, "/selftest/1")

    page = watched(app, "/selftest/1?watch=1")

    assert "1 passed, 1 failed, 1 skipped" in page
    assert "The header x-request-id was not echoed" in page
    with zipfile.ZipFile(io.BytesIO(get(app, "/selftest/1.zip").body)) as archive:
        assert set(archive.namelist()) == {"index.html", "report.json", "junit.xml"}
        told = json.loads(archive.read("report.json"))
    assert [each["id"] for each in told["scenarios"]] == ["IDS-08", "HDR-01", "TLS-01"]
    assert "Run 1" in get(app, "/selftest").body.decode()


def test_a_run_that_ends_while_its_page_is_made_is_read_once_more(
    app: WsgiApp, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(app, {"target": puppet.url, "service": "2000099999", "scenarios": "HDR-01"})
    watched(app, "/selftest/1?watch=1")
    met: list[Run] = []

    def ends_now(template: str, *, run: Run, **shown: object) -> bytes:
        met.append(run)
        run.finished = True
        return render(template, run=run, **shown)

    monkeypatch.setattr(pages, "render", ends_now)
    get(app, "/selftest/1")
    met[0].finished = False
    answer = get(app, "/selftest/1?watch=1")
    assert ("refresh" in answer.headers, b"are done" in answer.body) == (True, True)


def watched(app: WsgiApp, place: str) -> str:
    """The page once it is finished; until then it asks to be read again."""
    for _ in range(200):
        answer = get(app, place)
        if "Download the validation report" in answer.body.decode() or b"could not be run" in answer.body:
            assert "refresh" not in answer.headers
            return answer.body.decode()
        assert answer.headers["refresh"] == "3"
        time.sleep(0.05)
    raise TimeoutError(place)


def test_a_receiver_that_is_not_there_is_told(app: WsgiApp) -> None:
    start(app, {"target": "http://127.0.0.1:1/FHIR/R4", "service": "2000099999"})

    assert "The self-test could not be run" in watched(app, "/selftest/1?watch=1")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"target": "http://far.example/"}, "plain http is for receivers on this computer only"),
        ({"target": ""}, "the target is no http or https URL"),
        ({"service": "<b>"}, "enter a DoS service id"),
        ({"cert": "/no/such.pem"}, "There is no such file: /no/such.pem"),
        ({"scenarios": "NOPE"}, "There is no scenario or group NOPE"),
    ],
)
def test_a_form_that_is_wrong_is_shown_again(app: WsgiApp, fields: dict[str, str], words: str) -> None:
    answer = start(app, {"target": "http://127.0.0.1:1", "service": "2000099999"} | fields)

    page = answer.body.decode()
    assert answer.status == 400
    assert page.count(words) == 2, "above, and beside the field"
    assert "<b>" not in page


@pytest.mark.parametrize("headers", [FORM, FORM | {"Origin": "https://evil.example"}], ids=["none", "other"])
def test_another_site_starts_nothing(app: WsgiApp, puppet: Puppet, headers: dict[str, str]) -> None:
    assert start(app, {"target": puppet.url, "service": "2000099999"}, headers).status == 403
    assert puppet.came == []


@pytest.mark.parametrize(
    ("verb", "place"), [("POST", "/"), ("DELETE", "/selftest"), ("PUT", "/requests.zip")]
)
def test_a_wrong_verb(app: WsgiApp, verb: str, place: str) -> None:
    assert call_app(app, verb, place).status == 405
