"""What a field or parameter may be sent that no page of ours would send."""

HOSTILE = {
    "empty": "",
    "blank": "   ",
    "wrong": "not what was asked for",
    "script": '"><script>alert(1)</script>',
    "template": "{{ 7 * 7 }}{% debug %}",
    "sql": "' OR 1=1; DROP TABLE bookings_booking; --",
    "wildcards": "%_%*?",
    "null byte": "a\x00b",
    "lone null byte": "\x00",
    "right to left": "\u202egnirts",
    "line break": "a\r\nSet-Cookie: b=c",
    "path": "../../../etc/passwd",
    "superscript": "\u00b2",
    "digits": "9" * 10_000,
    "letters": "\u00e9" * 10_000,
    "negative": "-1",
    "float": "1e309",
    "first date": "0001-01-01",
    "last date": "9999-12-31",
    "unknown id": "00000000-0000-4000-8000-000000000000",
}
SCRIPT = b"<script>alert(1)"
# Traces of a program in what a person reads.
JARGON = ("Traceback", "Exception", "None", "invalid literal", "Enter a valid", "UUID")
