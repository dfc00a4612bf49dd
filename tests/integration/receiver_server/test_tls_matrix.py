"""Every wrong way to knock, at the bundled server and at a real nginx: refused each, and seen."""

import contextlib
import http.client
import json
import shutil
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bars_portal.credentials.local_pki import PkiFiles
from tests.integration.receiver_server.fronts import Front, fronted, needs_nginx
from tests.integration.receiver_server.leaves import DAY, issue, new_authority, write_revoked
from tests.integration.receiver_server.running import Receiver, running

IDS = {
    "X-Request-ID": "11111111-2222-4333-8444-555555555555",
    "X-Correlation-ID": "11111111-2222-4333-8444-666666666666",
}
# Who knocks; what the bundled server writes of it, and nginx.
MATRIX = [
    ("nobody", "peer did not return a certificate", "verify=NONE"),
    ("stranger-client", "certificate not accepted", "verify=FAILED"),
    ("expired", "certificate has expired", "verify=FAILED"),
    ("not-yet-valid", "certificate is not yet valid", "verify=FAILED"),
    ("revoked", "certificate revoked", "verify=FAILED"),
    ("weak", "certificate not accepted, EE certificate key too weak", "verify=FAILED"),
    ("a-server", "certificate not accepted", "verify=FAILED"),
]


@pytest.fixture(scope="module")
def chain(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    """With a leaf that is wrong in each way, and a list of revoked ones."""
    ours = PkiFiles(tmp_path_factory.mktemp("matrix") / "pki")
    root = new_authority(ours)
    for suffix in ("pem", "key"):
        shutil.copy(pki.directory / f"stranger-client.{suffix}", ours.directory)
    issue(ours, "receiver", common_name="localhost")
    issue(ours, "proxy-client")
    issue(ours, "wrong-name-client", common_name="wrong.example.nhs.uk")
    issue(ours, "expired", begins=-2 * DAY, ends=timedelta(minutes=-1))
    issue(ours, "not-yet-valid", begins=DAY, ends=2 * DAY)
    issue(ours, "weak", key=rsa.generate_private_key(65537, 1024))
    issue(ours, "a-server", common_name="localhost")
    write_revoked(ours, crl_of(ours), issue(ours, "revoked"), root=root)
    return ours


def crl_of(pki: PkiFiles) -> Path:
    return pki.directory / "crl.pem"


@pytest.fixture(scope="module")
def bundled(chain: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    extra = {"RECEIVER_CRL_FILE": str(crl_of(chain)), "RECEIVER_WORKERS": "1"}
    with running(chain, tmp_path_factory.mktemp("bundled"), extra) as server:
        yield server


@pytest.fixture(scope="module")
def front(chain: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    places = {r"# ssl_crl +/etc/bars/crl\.pem": f"ssl_crl {crl_of(chain)}"}
    folder = tmp_path_factory.mktemp("front")
    with fronted("nginx.conf", "gunicorn_receiver_behind_nginx.py", chain, folder, places) as running_front:
        yield running_front


def knock(
    server: Receiver | Front, who: str, headers: dict[str, str], path: str = "/FHIR/R4/metadata"
) -> tuple[int, bytes, http.client.HTTPMessage]:
    context = server.context(None)
    # The client minds nothing: what is refused is refused by the server.
    context.set_ciphers("ALL:@SECLEVEL=0")
    if who != "nobody":
        context.load_cert_chain(server.pki.certificate(who), server.pki.key(who))
    with contextlib.closing(
        http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=context)
    ) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


@pytest.mark.parametrize(("who", "words"), [(who, words) for who, words, _ in MATRIX])
def test_the_bundled_server_breaks_off_the_handshake(bundled: Receiver, who: str, words: str) -> None:
    before = bundled.count
    with pytest.raises((OSError, http.client.HTTPException)):
        knock(bundled, who, IDS)
    assert bundled.logs(words)
    assert bundled.count == before


@needs_nginx
@pytest.mark.parametrize(("who", "words"), [(who, words) for who, _, words in MATRIX])
def test_nginx_answers_403_itself(front: Front, who: str, words: str) -> None:
    before = count(front)
    status, body, headers = knock(front, who, IDS)
    assert refusal(body) == (403, status, "REC_FORBIDDEN", "forbidden")
    assert {name: headers[name] for name in IDS} == IDS
    assert front.wrote(words)
    assert count(front) == before


@needs_nginx
@pytest.mark.parametrize("where", ["bundled", "front"])
def test_forged_headers_change_nobody(where: str, request: pytest.FixtureRequest) -> None:
    server: Receiver | Front = request.getfixturevalue(where)
    good = server.pki.certificate("proxy-client").read_text()
    forged = {
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-Cert": quote(good),
        "X-Real-IP": "35.197.254.55",
        "X-Forwarded-For": "35.197.254.55",
    }
    status, body, _ = knock(server, "wrong-name-client", forged)
    assert (status, json.loads(body)["peer"]["common_name"]) == (200, "wrong.example.nhs.uk")
    if isinstance(server, Front):
        assert knock(server, "nobody", forged)[0] == 403
        assert json.loads(body)["address"] == "127.0.0.1"
    else:
        assert server.logs("refused: no name in the certificate is allowed")


@needs_nginx
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
@pytest.mark.parametrize("where", ["bundled", "front"])
def test_old_protocols(where: str, version: ssl.TLSVersion, request: pytest.FixtureRequest) -> None:
    server: Receiver | Front = request.getfixturevalue(where)
    context = server.context("proxy-client")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=context)
    with contextlib.closing(connection), pytest.raises(OSError):
        connection.request("GET", "/")


@needs_nginx
@pytest.mark.parametrize("where", ["bundled", "front"])
def test_plain_http(where: str, request: pytest.FixtureRequest) -> None:
    server: Receiver | Front = request.getfixturevalue(where)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/FHIR/R4/metadata", headers=IDS)
        if isinstance(server, Receiver):
            with pytest.raises((OSError, http.client.HTTPException)):
                connection.getresponse()
        else:
            answer = connection.getresponse()
            assert refusal(answer.read()) == (400, answer.status, "REC_BAD_REQUEST", "invalid")


@needs_nginx
def test_who_is_good_gets_in_through_nginx(front: Front) -> None:
    status, body, headers = knock(front, "proxy-client", IDS)
    assert (status, json.loads(body)["peer"]["common_name"]) == (200, "int.api.service.nhs.uk")
    assert headers.get_all("X-Request-ID") is None, "the application's to say"
    assert front.wrote("verify=SUCCESS")


@needs_nginx
def test_a_new_list_counts_after_a_reload_which_cuts_off_no_request(tmp_path: Path) -> None:
    ours = PkiFiles(tmp_path / "pki")
    root = new_authority(ours)
    issue(ours, "receiver", common_name="localhost")
    issue(ours, "proxy-client")
    issue(ours, "partner")
    lists = tmp_path / "lists.pem"
    write_revoked(ours, lists, root=root)
    places = {r"# ssl_crl +/etc/bars/crl\.pem": f"ssl_crl {lists}"}
    with fronted("nginx.conf", "gunicorn_receiver_behind_nginx.py", ours, tmp_path, places) as front:
        assert knock(front, "partner", IDS)[0] == 200
        with contextlib.closing(front.connect()) as under_way:
            under_way.putrequest("POST", "/FHIR/R4/$process-message")
            under_way.putheader("Content-Length", "10")
            under_way.endheaders(b"half ")
            write_revoked(ours, lists, "partner", root=root)
            front.reload()
            assert knock(front, "partner", IDS)[0] == 403
            assert knock(front, "proxy-client", IDS)[0] == 200
            under_way.send(b"whole")
            answer = under_way.getresponse()
            assert (answer.status, json.loads(answer.read())["received"]) == (200, 10)
        write_revoked(ours, lists, ends=timedelta(minutes=-1), root=root)
        front.reload()
        assert knock(front, "proxy-client", IDS)[0] == 403, "an outdated list refuses everybody"


def refusal(body: bytes) -> tuple[int, int, str, str]:
    """Of an OperationOutcome: the status that its display says, the same again, and its codes."""
    outcome = json.loads(body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["id"]
    (issue,) = outcome["issue"]
    coding = issue["details"]["coding"][0]
    said = int(coding["display"].partition(" ")[0])
    assert coding["display"] == f"{said} - {coding['code']}"
    return said, said, coding["code"], issue["code"]


def count(front: Front) -> int:
    return len((front.folder / "count").read_text())
