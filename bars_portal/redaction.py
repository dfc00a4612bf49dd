"""What never leaves in a log line, found by its shape or by the name that stands beside it.

A name or a street in free text has no shape: it is kept out by what may be logged at all, which is
bars_portal.logging's. This is the net under that.
"""

import re

MARK = "[redacted]"

# Ids, and the fingerprints of certificates: every fifth has ten digits in a row.
_OF_OURS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f])(?=[0-9]*[a-f])[0-9a-f]{64}(?![0-9a-f])",
    re.IGNORECASE,
)
_LONGEST = 64

# Words of which one in a name means that its value is a person's or a secret.
_SENSITIVE = re.compile(
    r"passw|passphrase|secret|token|assertion|api.?key|authori[sz]ation|credential|cookie|session.?id|csrf"
    r"|private.?key|family|given|forename|surname|(?:first|last|full|patient).?name|patient|birth|dob$"
    r"|address|street|town|city|district|post.?code|postal|telecom|phone|mobile|email|nhs.?number"
    # Of FHIR, forms and Celery, when they are the whole name.
    r"|^(?:name|line|text|value|display|prefix|suffix|body|raw|args|kwargs)$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?<![\w.-])(?P<name>[\w.-]+)(?P<quote>[\"']?)\s*(?:=|:|%3[Dd])\s*")
_SAID_IN_SENTENCES = frozenset(
    {"line", "text", "value", "name", "body", "raw", "display", "prefix", "suffix"}
)
_VALUE = re.compile(r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^&;\n]*", re.DOTALL)
_BRACKETS = {"[": "]", "{": "}", "(": ")"}

# Numbers as people write them: in groups, as in an address, with signs that only look like a dash.
_GAP = r"(?:%20|&nbsp;|[\s\u200b\u2010-\u2015\u2212_+-])?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_NUMBERS = re.compile(
    rf"""(?<!\d)(?:
        \+?\d(?:{_GAP}\d){{9,14}}                               # NHS numbers, phones
        |\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}                    # days, year first
        |\d{{1,2}}[-/.\s]\d{{1,2}}[-/.\s]\d{{4}}                # day or month first
        |\d{{1,2}}(?:st|nd|rd|th)?[\s-](?i:{_MONTH})[\s,-]+\d{{4}}
        |\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:19|20)\d{{2}}         # what is left of "February 29, 1944"
        |(?:19|20)\d{{6}}
    )(?!\d)""",
    re.VERBOSE,
)
_POSTCODE = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{1,2}\d[A-Za-z\d]?(?:%20|[\s+_-])?"
    r"\d[ABD-HJLNP-UW-Zabd-hjlnp-uw-z]{2}(?![A-Za-z0-9])"
)
# By a word in small letters without which there is nothing to look for: the label stays, its value goes.
_BY_WORD = (
    ("-----begin", re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL), MARK),
    ("eyj", re.compile(r"eyJ[\w-]{4,}(?:\.[\w-]*){0,4}"), MARK),
    ("bearer ", re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+"), rf"\1 {MARK}"),
    ("basic ", re.compile(r"(?i)\b(basic)\s+[\w.~+/=-]+"), rf"\1 {MARK}"),
    ("://", re.compile(r"://[^/\s@]+@"), f"://{MARK}@"),
    ("@", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), MARK),
    # PostgreSQL's details of a row.
    ("row contains", re.compile(r"(?i)(row contains )\(.*", re.DOTALL), rf"\1{MARK}"),
    ("key (", re.compile(r"(?i)\b(key )\(.*", re.DOTALL), rf"\1{MARK}"),
)


def redact(text: str) -> str:
    """The text without numbers of patients, phones, days, postcodes, mail addresses, tokens, keys, passwords,
    and without whatever stands beside a name that announces a person or a secret.
    """
    if "=" in text or ":" in text or "%3D" in text or "%3d" in text:
        text = _without_labelled(text)
    small = text.lower()
    for word, rule, instead in _BY_WORD:
        if word in small:
            text = rule.sub(instead, text)
    return _POSTCODE.sub(MARK, _NUMBERS.sub(_number, text))


def _number(found: re.Match[str]) -> str:
    """Digits within an id or a fingerprint are none."""
    start = max(0, found.start() - _LONGEST)
    around = _OF_OURS.finditer(found.string, start, found.end() + _LONGEST)
    inside = any(each.start() <= found.start() and found.end() <= each.end() for each in around)
    return found[0] if inside else MARK


def _without_labelled(text: str) -> str:
    pieces, at = [], 0
    while label := _LABEL.search(text, at):
        pieces.append(text[at : label.end()])
        at = label.end()
        if _announces(label):
            at = _end_of_value(text, at)
            pieces.append(MARK)
    return "".join(pieces) + text[at:]


def _announces(label: re.Match[str]) -> bool:
    # A sentence may well say "line: 12"; a dictionary has its names in quotes, a query has a sign of its own.
    in_a_sentence = not label["quote"] and label[0].rstrip().endswith(":")
    if in_a_sentence and label["name"].lower() in _SAID_IN_SENTENCES:
        return False
    return _SENSITIVE.search(label["name"]) is not None


def _end_of_value(text: str, start: int) -> int:
    """A list or an object ends with its own bracket, or with the text."""
    opening = text[start : start + 1]
    if opening not in _BRACKETS:
        found = _VALUE.match(text, start)
        return found.end() if found else start
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == opening) - (text[place] == _BRACKETS[opening])
        if depth == 0:
            return place + 1
    return len(text)
