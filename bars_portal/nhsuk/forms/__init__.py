"""Form fields as NHS.UK components. Usage: docs of `NHSForm`; each field says what it cleans to."""

from bars_portal.nhsuk.forms.base import NHSForm
from bars_portal.nhsuk.forms.dates import DateField, PartlyKnownDateField
from bars_portal.nhsuk.forms.fields import (
    CheckboxesField,
    ConfirmField,
    HiddenField,
    Option,
    PasswordField,
    RadiosField,
    SelectField,
    TextareaField,
    TextField,
)
from bars_portal.nhsuk.forms.fields import NHSNumberField as NHSNumberField
from bars_portal.nhsuk.forms.fields import PhoneField as PhoneField
from bars_portal.nhsuk.forms.fields import PostcodeField as PostcodeField

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
