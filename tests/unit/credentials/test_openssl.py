"""What is made here, judged by OpenSSL: request, key, bundle, chain, key set."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from bars_portal.credentials.keys import bundle, key_set, new_request, private_pem, public_pem
from tests.factories.certificates import FQDN, authority, leaf_recipe, pem, rsa_key

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
PASSWORD = "correct horse battery"


def openssl(*arguments: str, folder: Path) -> str:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def made(tmp_path: Path) -> Path:
    key, leaf, (intermediate, root) = rsa_key("receiver"), leaf_recipe().make(), authority("int")
    (tmp_path / "key.pem").write_bytes(private_pem(key))
    (tmp_path / "request.csr").write_bytes(new_request(key, FQDN))
    (tmp_path / "leaf.pem").write_bytes(pem(leaf))
    (tmp_path / "intermediate.pem").write_bytes(pem(intermediate))
    (tmp_path / "root.pem").write_bytes(pem(root))
    packed = bundle(key, (leaf, intermediate), password=PASSWORD, name=FQDN)
    (tmp_path / "receiver.pfx").write_bytes(packed)
    return tmp_path


def test_the_request_has_the_common_name_alone_and_no_email(made: Path) -> None:
    text = openssl("req", "-in", "request.csr", "-noout", "-text", "-verify", folder=made)
    subject = openssl("req", "-in", "request.csr", "-noout", "-subject", "-nameopt", "RFC2253", folder=made)
    assert subject.strip() == f"subject=CN={FQDN}"
    assert "email" not in text.lower()


def test_key_request_and_certificate_belong_together(made: Path) -> None:
    of_key = openssl("pkey", "-in", "key.pem", "-pubout", folder=made)
    assert of_key == openssl("req", "-in", "request.csr", "-noout", "-pubkey", folder=made)
    assert of_key == openssl("x509", "-in", "leaf.pem", "-noout", "-pubkey", folder=made)


def test_the_chain_verifies_and_the_bundle_opens_with_all_of_it(made: Path) -> None:
    said = openssl(
        *("verify", "-CAfile", "root.pem", "-untrusted", "intermediate.pem"),
        *("-attime", "1796040000", "leaf.pem"),
        folder=made,
    )
    assert "OK" in said
    opened = openssl("pkcs12", "-in", "receiver.pfx", "-passin", f"pass:{PASSWORD}", "-nodes", folder=made)
    assert opened.count("BEGIN CERTIFICATE") == 2
    assert "PRIVATE KEY" in opened
    with pytest.raises(ValueError, match="at least 12"):
        bundle(rsa_key("receiver"), (leaf_recipe().make(),), password="short", name=FQDN)


def test_the_key_set_holds_the_numbers_of_both_keys_while_one_follows_the_other(made: Path) -> None:
    old, new = rsa_key("receiver").public_key(), rsa_key("next").public_key()
    keys = key_set({"My-INT-1": old, "My-INT-2": new})["keys"]
    assert [each["kid"] for each in keys] == ["My-INT-1", "My-INT-2"]
    (made / "public.pem").write_bytes(public_pem(old))
    modulus = openssl("rsa", "-pubin", "-in", "public.pem", "-noout", "-modulus", folder=made)
    number = base64.urlsafe_b64decode(keys[0]["n"] + "==")
    assert modulus.strip() == f"Modulus={number.hex().upper()}"
    assert keys[0] | {"n": "", "e": "AQAB", "use": "sig", "alg": "RS512", "kty": "RSA"} == keys[0] | {"n": ""}
