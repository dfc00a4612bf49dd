"""Form fields as NHS.UK components. Usage: docs of `NHSForm`; each field says what it cleans to."""

from bars_portal.nhsuk.forms.base import NHSForm
from bars_portal.nhsuk.forms.choices import CheckboxesField, ConfirmField, Option, RadiosField, SelectField
from bars_portal.nhsuk.forms.dates import DateField, PartlyKnownDateField
from bars_portal.nhsuk.forms.text import HiddenField, PasswordField, TextareaField, TextField
from bars_portal.nhsuk.forms.text import NHSNumberField as NHSNumberField
from bars_portal.nhsuk.forms.text import PhoneField as PhoneField
from bars_portal.nhsuk.forms.text import PostcodeField as PostcodeField

__all__ = [
    "CheckboxesField",
    "ConfirmField",
    "DateField",
    "HiddenField",
    "NHSForm",
    "NHSNumberField",
    "Option",
    "PartlyKnownDateField",
    "PasswordField",
    "PhoneField",
    "PostcodeField",
    "RadiosField",
    "SelectField",
    "TextField",
    "TextareaField",
]
