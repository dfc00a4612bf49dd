"""What can be wrong with a key or certificate that was brought, each with what to do about it.

One sentence, or two: what is wrong, then what to do. Names of certificates may stand in it, content never.
"""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # What was pasted or uploaded.
    "empty": "Nothing was given. Choose the file, or paste its text.",
    "too-large": (
        "It is larger than any certificate or key. Give the certificate alone, without other attachments."
    ),
    "unreadable": (
        "No certificate was found in it. Paste the text between BEGIN CERTIFICATE and END CERTIFICATE, or"
        " choose the file as it was sent."
    ),
    "truncated": "The text ends before END CERTIFICATE. Copy it again, to its last line.",
    "damaged": "The text between BEGIN and END is damaged. Copy it again from the original mail or file.",
    "request-instead": (
        "This is a certificate request (CSR), what goes to the issuing desk. Give the certificate that "
        "the desk sent back."
    ),
    "key-instead": (
        "A private key was given with the certificate. It was not kept. Give the certificate without it, "
        "and make a new key if anybody else may have seen this one."
    ),
    "crl-instead": "This is a revocation list. Give the certificate that the issuing desk sent.",
    "bundle-password": (
        "The PKCS12 file opens with a password only, and none or a wrong one was given. Give the password"
        " that it was made with."
    ),
    "bundle-empty": "The PKCS12 file holds no certificate. Ask whoever made it to include it.",
    # A key that was brought.
    "key-password": (
        "The key is protected by a password, and none or a wrong one was given. Give the password of the key."
    ),
    "key-unreadable": "No private key was found in it. Give the PEM file of the key.",
    "key-public": "This is a public key. Give the private key, which is kept here and sent to nobody.",
    "key-certificate": "This is a certificate, not a key. Give the private key that belongs to it.",
    "key-kind": "This is no RSA key, and tokens are signed with RSA. Make an RSA key of 4096 bits.",
    "key-small": "The key has {bits} bits. Make one of at least {least} bits.",
    # The certificate itself.
    "chain-only": (
        "Only certificates of authorities were given ({names}). Give the certificate of the receiver too."
    ),
    "wrong-key": (
        "The certificate of {name} belongs to another key than the one kept here. Ask for a certificate "
        "for the request that was made here, or bring the key that it was made with."
    ),
    "self-signed": (
        "The certificate of {name} signed itself. Ask {issuer_desk} for one: partners trust no other."
    ),
    "wrong-environment": (
        "The certificate was issued by {issuer}, for {found}. This is {wanted}: ask for one there."
    ),
    "unknown-authority": (
        "The certificate was issued by {issuer}, which is no authority of {wanted}. Ask {issuer_desk} for"
        " one."
    ),
    "expired": "The certificate of {name} expired on {day}. Ask for a new one, with a new request.",
    "not-yet": (
        "The certificate of {name} is valid from {day} only. Check this machine's clock, or wait until then."
    ),
    "weak-signature": (
        "The certificate of {name} is signed with {algorithm}, which partners refuse. Ask for one with "
        "SHA-256."
    ),
    "weak-key": (
        "The key in the certificate of {name} has {bits} bits, which partners refuse. Make a new key of "
        "at least 2048 bits and a new request."
    ),
    "no-common-name": (
        "The certificate has no common name: it was issued without one. Ask for one whose common name is "
        "{wanted}."
    ),
    "wildcard": "The certificate is for {name}, a wildcard. Ask for one whose common name is {wanted}.",
    "name-case": (
        "The certificate is for {name}, and the name is {wanted}: the ODS code stands in capitals. Ask "
        "for one with the name as requested."
    ),
    "wrong-name": (
        "The certificate is for {name}, and this receiver is {wanted}. Ask for one with that name, or "
        "choose the other name here first."
    ),
    "missing-alternative": (
        "The certificate names others ({names}) beside its common name, and not {wanted}: clients would "
        "refuse it. Ask for one that names {wanted}."
    ),
    "not-for-servers": (
        "The certificate of {name} may not be used by a server. Ask for one for servers and clients."
    ),
    # Its path.
    "missing-intermediate": (
        "{issuer} signed the certificate, and its own certificate is missing. Add it: {issuer_desk} sends"
        " it with the certificate, and the guide links to it."
    ),
    "swapped-intermediate": (
        "{issuer} signed the certificate; what came with it is of others ({names}). Replace them by that "
        "of {issuer}."
    ),
    "forged-intermediate": (
        "There is a certificate of {issuer} in it, but not of the one that signed. Take {issuer} from "
        "where the guide links to it."
    ),
    "missing-root": "The root, {root}, is missing. Add its certificate, from where the guide links to it.",
    "unknown-root": (
        "The path ends at {root}, with the SHA-1 thumbprint {thumbprint}, which is not the published one."
        " Compare it with what the NHS publishes, and give that thumbprint here if it is newer."
    ),
    "authority-expired": (
        "{name}, an authority of the path, expired on {day}. Take its current certificate from where the "
        "guide links to it."
    ),
    "path": (
        "No path leads from the certificate to {root}. Give the receiver's certificate, then that of who "
        "signed it, then the root."
    ),
}


class Unusable(ValueError):
    """`code` is a key of SENTENCES; `sentence` is for the person who brought it."""

    def __init__(self, code: str, **words: object) -> None:
        self.code = code
        self.sentence = SENTENCES[code].format(**words)
        super().__init__(self.sentence)
