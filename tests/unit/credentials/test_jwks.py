"""Public keys as JSON Web Keys, read back by another library."""

import jwt

from bars_portal.credentials.keys import new_signing_key, public_jwks


def test_a_signature_verifies_against_the_published_set() -> None:
    old, new = new_signing_key(bits=2048), new_signing_key(bits=2048)
    published = jwt.PyJWKSet.from_dict(
        public_jwks(("A-INT-1", old.public_key()), ("A-INT-2", new.public_key()))
    )
    token = jwt.encode({"sub": "x"}, new, algorithm="RS512", headers={"kid": "A-INT-2"})
    assert jwt.decode(token, published["A-INT-2"].key, algorithms=["RS512"]) == {"sub": "x"}


def test_only_the_public_half_is_there() -> None:
    (key,) = public_jwks(("A-INT-1", new_signing_key(bits=2048).public_key()))["keys"]
    assert key.keys() == {"kty", "kid", "use", "alg", "n", "e"}
    assert (key["kty"], key["use"], key["alg"], key["e"]) == ("RSA", "sig", "RS512", "AQAB")
