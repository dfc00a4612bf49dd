"""TLS as a client. httpx's own `cert=` is never used: beside a CA path it silently sends no certificate."""

import ssl
from pathlib import Path

import httpx


def client_context(
    *,
    ca_file: str | Path | None,
    cert_file: str | Path | None = None,
    key_file: str | Path | None = None,
) -> ssl.SSLContext:
    """A verifying context, TLS 1.2 or later; `ca_file` None trusts the public authorities.

    With `cert_file` (and `key_file`, unless the key is in the same file) it presents that client certificate.
    Raises OSError or ssl.SSLError when a file is missing or unusable.
    """
    context = _trusting(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file:
        context.load_cert_chain(cert_file, key_file)
    return context


def _trusting(ca_file: str | Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return httpx.create_ssl_context(verify=True, trust_env=False)
    return ssl.create_default_context(cafile=str(ca_file))
