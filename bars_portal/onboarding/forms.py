"""What a step asks for. The names of secret fields keep them out of forms that wait for a late sign-in."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from bars_portal.credentials.environments import Hosting
from bars_portal.credentials.intake import MOST_BYTES
from bars_portal.nhsuk.forms import NHSForm, Option, PasswordField, RadiosField, TextareaField, TextField
from bars_portal.nhsuk.forms.fields import Worded

_SERVICE = re.compile(r"[0-9]{1,20}")
_HOSTING = (
    Option(Hosting.SUPPLIER.value, "A supplier hosts it", "One installation for several organisations"),
    Option(Hosting.PROVIDER.value, "This organisation hosts it itself"),
)


class UploadField(Worded, forms.FileField):
    """A file of a few kilobytes; cleans to its bytes."""

    component = "file"
    widget = forms.FileInput

    def clean(self, data: Any, initial: Any = None) -> bytes:
        if data and data.size > MOST_BYTES:
            raise ValidationError("The file is larger than any certificate or key")
        found = super().clean(data, initial)
        return bytes(found.read()) if found else b""


class Pasted(TextareaField):
    """Taken as it is: what is wrong with it is told by whoever reads it."""

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")
        if value and len(value) > MOST_BYTES:
            raise ValidationError("It is longer than any certificate or key")


class FactsForm(NHSForm):
    hosting = RadiosField(label="Who hosts the solution?", options=_HOSTING)
    name = TextField(
        label="Name of the supplier or provider",
        hint="As names of keys and hosts will have it, such as MySupplier",
        max_length=40,
    )
    product = TextField(label="Name of the product", max_length=100)
    suffix = TextField(
        label="Setting (optional)",
        hint="Letters that tell several receivers of one organisation apart, such as UTC",
        required=False,
        max_length=20,
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}[A-Za-z0-9]", name):
            raise ValidationError("Enter a name of letters, digits and hyphens, without blanks")
        return name

    def clean_suffix(self) -> str:
        suffix: str = self.cleaned_data["suffix"]
        if not re.fullmatch(r"[A-Za-z0-9]{0,20}", suffix):
            raise ValidationError("Enter letters and digits only")
        return suffix


class KeyForm(NHSForm):
    way = RadiosField(
        label="Where does the key come from?",
        options=(
            Option("make", "Make it here", "RSA with 4096 bits; takes a few seconds"),
            Option("bring", "Bring one that was made elsewhere"),
        ),
        conditional={"bring": "pasted_key"},
    )
    pasted_key = Pasted(
        label="Private key",
        hint="The whole PEM text. It is kept in a file on this machine and never shown again",
        required=False,
        rows=6,
        spellcheck=False,
    )
    key_password = PasswordField(
        label="Password of the key (if it has one)", required=False, autocomplete="off"
    )

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if told.get("way") == "bring" and not told.get("pasted_key"):
            self.add_error("pasted_key", "Paste the private key")
        return told


class RegistrationForm(NHSForm):
    """At the simulator, whose portal makes the application."""

    app_name = TextField(label="Name of the app in the developer portal", max_length=100)


class PublishedRegistrationForm(RegistrationForm):
    app_id = TextField(label="App ID", hint="As the developer portal shows it", max_length=100)
    pasted_api_key = PasswordField(
        label="API key",
        hint="As the developer portal shows it. It is kept in a file and never shown again",
        autocomplete="off",
    )
    field_order = ("app_name", "app_id", "pasted_api_key")


class NameForm(NHSForm):
    fqdn = TextField(label="Full name of the receiver (FQDN)", max_length=64, spellcheck=False)


class CertificateForm(NHSForm):
    certificate_file = UploadField(
        label="File", hint="PEM, DER, PKCS7 or PKCS12 (.crt, .cer, .pem, .p7b, .pfx)", required=False
    )
    pasted_certificate = Pasted(
        label="Or paste the text",
        hint="The whole mail will do. Add the certificates of who signed it, up to the root",
        required=False,
        rows=8,
        spellcheck=False,
    )
    bundle_password = PasswordField(label="Password (of a PKCS12 file)", required=False, autocomplete="off")
    root_thumbprint = TextField(
        label="SHA-1 thumbprint of the root (optional)",
        hint="Only when the NHS has published a newer root than the one known here, and you have compared it",
        required=False,
        max_length=80,
        spellcheck=False,
    )

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if not self.errors and not told.get("certificate_file") and not told.get("pasted_certificate"):
            self.add_error("certificate_file", "Choose the file, or paste its text")
        return told

    def content(self) -> bytes:
        """Of a valid form: the file, else what was pasted."""
        pasted: str = self.cleaned_data["pasted_certificate"]
        return self.cleaned_data["certificate_file"] or pasted.encode()


class BundleForm(NHSForm):
    bundle_password = PasswordField(
        label="Password for the file",
        hint="12 characters or more. It is not kept: note it where the other server is set up",
        autocomplete="new-password",
    )


class NetworkForm(NHSForm):
    address = TextField(label="Public IP address of the receiver", max_length=45, spellcheck=False)


class CatalogueForm(NHSForm):
    services = TextareaField(
        label="Service ids (DoS)",
        hint="One on each line: those that this receiver answers for",
        max_length=2_000,
        rows=3,
    )
    port = TextField(label="Port", initial="443", max_length=5, inputmode="numeric", width=5)

    def clean_services(self) -> list[str]:
        found = list(dict.fromkeys(self.cleaned_data["services"].split()))
        if not all(_SERVICE.fullmatch(each) for each in found):
            raise ValidationError("Enter service ids of digits only, one on each line")
        return found

    def clean_port(self) -> int:
        text: str = self.cleaned_data["port"]
        if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) < 65536:
            raise ValidationError("Enter a port from 1 to 65535")
        return int(text)


class ConnectionForm(NHSForm):
    service_id = TextField(
        label="Service id for replies (DoS)",
        hint="A service of this organisation that is hosted here: what it sends is answered to that address",
        max_length=20,
        inputmode="numeric",
        spellcheck=False,
    )


class SignForm(NHSForm):
    name = TextField(label="Name of who signs", max_length=100)
    role = TextField(label="Their role", hint="Such as clinical safety officer", max_length=100)


class EmptyForm(NHSForm):
    """A step that needs nothing but the button."""
