"""Choosing a catalogue: a file from this computer, or the Endpoint Catalogue API."""

from typing import Any

from django import forms

from bars_portal.accounts.models import Organisation
from directory.admin.fields import ODSCodesField
from directory.models import Source

# A page must answer before its server gives up; the command has no such limit.
MOST_MEGABYTES = 10
SOURCES = [
    (Source.CSV.value, "A CSV list of services"),
    (Source.ROUTES.value, "The JSON catalogue of the BaRS proxy"),
    (Source.API.value, "The Endpoint Catalogue API"),
]


class CatalogueForm(forms.Form):
    """What cleans to the source, and either the file or the organisations to ask for."""

    source = forms.ChoiceField(label="What to read", choices=SOURCES, widget=forms.RadioSelect, initial="csv")
    file = forms.FileField(
        required=False,
        help_text=f"For CSV and JSON: up to {MOST_MEGABYTES} MB. "
        "Larger ones are read by manage.py import_catalogue.",
    )
    organisations = ODSCodesField(
        rows=2,
        help_text="For the API: ODS codes to ask for. Empty: every organisation that provides a service.",
    )
    provider = forms.ModelChoiceField(
        label="Organisation of new services",
        queryset=Organisation.objects.all(),
        required=False,
        help_text="For the JSON catalogue, which does not say whose its services are.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if cleaned.get("source") != Source.API.value and not file and "file" not in self.errors:
            self.add_error("file", "Choose the file of the catalogue.")
        elif file and (file.size or 0) > MOST_MEGABYTES * 1024 * 1024:
            self.add_error(
                "file", f"The file is larger than {MOST_MEGABYTES} MB. Use manage.py import_catalogue for it."
            )
        return cleaned
