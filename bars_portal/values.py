"""One reader for each kind of value, and when two spellings are one name (standard section 13). Pure.

Forms, cells, messages and queries judge the same text alike. Of a name the database keeps a key.
"""

import re
import unicodedata
from datetime import time
from itertools import accumulate

import phonenumbers
from nhs_number.validate import calculate_checksum


class InvalidValue(ValueError):
    """The text is no value of its kind. `code` is the reason in a word; the message never holds the text."""

    def __init__(self, code: str, words: str) -> None:
        self.code = code
        super().__init__(words)


_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]+")
# 1.13E+09: what a spreadsheet makes of a long number in a cell that it takes for a number.
_SHORTENED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
SHORTENED = "a spreadsheet shortened the number: format the column as text and enter it again"


def is_shortened(text: str) -> bool:
    """Whether a spreadsheet wrote a number in powers of ten: its last digits are lost."""
    return _SHORTENED.fullmatch(text.strip()) is not None


def compact(text: str) -> str:
    """Without blanks and hyphens of any kind."""
    return _SEPARATORS.sub("", text)


def read_nhs_number(text: str) -> str:
    """Ten digits, the last a right check digit. Raises InvalidValue: format, length or check_digit."""
    digits = compact(text)
    if not re.fullmatch(r"[0-9]+", digits):
        raise InvalidValue("format", "An NHS number has 10 digits")
    if len(digits) != 10:
        raise InvalidValue("length", "An NHS number has 10 digits")
    if calculate_checksum(digits[:9]) != int(digits[9]):
        raise InvalidValue("check_digit", "The check digit of the NHS number is wrong")
    return digits


_OUTWARD = r"(?:GIR|[A-Z]{1,2}[0-9][A-Z0-9]?)"
_INWARD = r"[0-9][ABD-HJLNP-UW-Z]{2}"
# What the NHS writes where there is no address (ZZ99 3VZ: no fixed abode) has letters that no place has; the
# territories overseas have four letters.
_POSTCODE = re.compile(
    rf"({_OUTWARD})({_INWARD})|(ZZ99)([0-9][A-Z]{{2}})"
    r"|(ASCN|BBND|BIQQ|FIQQ|PCRN|SIQQ|STHL|TDCU|TKCA)(1ZZ)"
)
_LONGEST_POSTCODE = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_postcode(text: str, *, outward: bool = False) -> str:
    """ "ls14ap" -> "LS1 4AP"; with `outward` also the first half alone. Raises InvalidValue."""
    plain = "" if len(text) > _LONGEST_POSTCODE or _CONTROL.search(text) else compact(text).upper()
    if whole := _POSTCODE.fullmatch(plain):
        return " ".join(filter(None, whole.groups()))
    if outward and re.fullmatch(_OUTWARD, plain):
        return plain
    raise InvalidValue("format", "This is not a UK postcode")


_PHONE = re.compile(r"(?:tel:)?\(?[+0][0-9()./\-\s]*", re.IGNORECASE)
_EXTENSION = re.compile(r"(.*?[0-9)])\s*(?:;?ext(?:ension)?[.:=]?|x|#)\s*([0-9]{1,7})", re.IGNORECASE)
_DASHES = re.compile(r"[\u2010-\u2015]")


def read_phone(text: str) -> str:
    """E.164 ("+447700900123"), with its extension "+441132000000 x12"; British where no country is named.

    Raises InvalidValue: `shortened` or `first_zero` for what a spreadsheet leaves of a number, else `format`.
    """
    plain = _DASHES.sub("-", " ".join(text.split()))
    if is_shortened(plain):
        raise InvalidValue("shortened", SHORTENED)
    found = _EXTENSION.fullmatch(plain)
    main, extension = found.groups() if found else (plain, "")
    if re.match(r"[1-9]", main) and _is_possible(f"0{main}"):
        raise InvalidValue("first_zero", "the number must begin with 0, or with + and the code of a country")
    if not _PHONE.fullmatch(main) or not _is_possible(main):
        raise InvalidValue("format", "this is not a phone number")
    number = phonenumbers.parse(main, "GB")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written} x{extension}" if extension else written


def _is_possible(text: str) -> bool:
    try:
        reason = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(text, "GB"))
    except phonenumbers.NumberParseException:
        return False
    # A number without its area code reaches somebody else.
    return bool(reason == phonenumbers.ValidationResult.IS_POSSIBLE)


# Of the whole country, and too short to be an ordinary number.
_SHORT_NUMBERS = frozenset({"101", "105", "111", "112", "116117", "116123", "119", "999"})


def read_service_phone(text: str) -> str:
    """As it is written: any phone number, 111 and its like too. Raises InvalidValue as `read_phone` does."""
    if compact(text) not in _SHORT_NUMBERS:
        read_phone(text)
    return text


def read_service_id(text: str) -> str:
    """A DoS service id, 1 to 20 digits. Raises InvalidValue: shortened or format."""
    digits = text.strip()
    if is_shortened(digits):
        raise InvalidValue("shortened", f"A service id has digits only, and {SHORTENED}")
    if not re.fullmatch(r"[0-9]{1,20}", digits):
        raise InvalidValue("format", "A service id has digits only")
    return digits


def read_ods_code(text: str) -> str:
    """3 to 12 letters and digits, in capitals. Raises InvalidValue."""
    code = text.strip().upper()
    if not re.fullmatch(r"[A-Z0-9]{3,12}", code):
        raise InvalidValue("format", "An ODS code has 3 to 12 letters and digits")
    return code


def read_decimal(text: str) -> float:
    """Digits with a point ("-1.54175"), never powers of ten. Raises InvalidValue: shortened or format."""
    if is_shortened(text):
        raise InvalidValue("shortened", SHORTENED)
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,20})?", text):
        raise InvalidValue("format", "this is not a number")
    return float(text)


_TIME = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?")


def read_time(text: str) -> time:
    """A time of day: 9:00, 14.30 or 14:30:05. Raises InvalidValue."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise InvalidValue("format", "a time of day is written like 14:30")
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        raise InvalidValue("format", "there is no such time of day") from None


# Verhoeff's check: the dihedral group of ten, and the permutation of each place from the right.
_PRODUCTS = tuple(
    tuple(
        (one + other) % 5 + 5 * (other > 4) if one < 5 else (one - other) % 5 + 5 * (other < 5)
        for other in range(10)
    )
    for one in range(10)
)
_PLACES = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def is_snomed_id(text: str) -> bool:
    """6 to 18 digits with a right check digit: a spreadsheet makes zeros of those after the fifteenth."""
    if not re.fullmatch(r"[1-9][0-9]{5,17}", text):
        return False
    check = 0
    for place, digit in enumerate(reversed(text)):
        check = _PRODUCTS[check][int(_PLACES[place % 8][int(digit)])]
    return check == 0


# Letters of their own that people also write without.
_LETTERS = str.maketrans(
    {
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00f8": "o",
        "\u00f0": "d",
        "\u0111": "d",
        "\u00fe": "th",
        "\u0142": "l",
        "\u0127": "h",
        "\u0131": "i",
        "\u014b": "n",
    }
)


def fold(text: str) -> str:
    """Small letters without accents: composed, decomposed and typographic forms of one text become one."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(char for char in plain if unicodedata.category(char) not in ("Mn", "Cf"))
    return kept.translate(_LETTERS)


def name_words(text: str) -> list[str]:
    """The folded words of a name; apostrophes, hyphens and other punctuation divide words as blanks do."""
    words = _divided(fold(text)).split()
    # A name of nothing but signs is a name too.
    return words or text.casefold().split()


_SIGNS = re.compile(r"[!-/:-@\[-`{-~]")


def _divided(text: str) -> str:
    if text.isascii():
        return _SIGNS.sub(" ", text)
    signs = ("P", "Z", "C", "Sk")
    return "".join(" " if unicodedata.category(each).startswith(signs) else each for each in text)


def name_key(text: str) -> str:
    """What all spellings of a name share: its folded letters without blanks or signs; "" for no name."""
    return "".join(name_words(text))


def asked_words(asked: str) -> list[str]:
    """The keys of the words that a search asks for: each is part of the key of whoever is meant."""
    keys = ("".join(_divided(fold(word)).split()) for word in asked.split())
    return list(filter(None, keys)) or name_words(asked)


def is_named(name: str, asked: str) -> bool:
    """Whether each word asked for begins a word of the name; "oneill" and "o neill" begin O'Neill.

    FHIR's search for a string: starts with, whatever the case and accents, the parts in any order.
    """
    words, wanted = name_words(name), asked_words(asked)
    tails = list(accumulate(reversed(words), lambda tail, word: word + tail))
    # Places up to which the words asked for are found; several may be one word of the name.
    reached = {0}
    for start in range(len(wanted)):
        for end in range(start + 1, len(wanted) + 1 if start in reached else 0):
            if not any(tail.startswith("".join(wanted[start:end])) for tail in tails):
                break
            reached.add(end)
    return bool(wanted) and len(wanted) in reached


def same_name(one: str, other: str) -> bool:
    """Never of two names that are not known."""
    return name_key(one) == name_key(other) != ""


def names_agree(one: str, other: str) -> bool:
    """First names of which one side may tell fewer: Ada and Ada Mary, not Ann and Anna."""
    shorter, longer = sorted((name_words(one), name_words(other)), key=lambda words: len("".join(words)))
    return "".join(shorter) in ("", *accumulate(longer))
