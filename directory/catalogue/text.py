"""The bytes of a catalogue as text, within limits."""

from directory.catalogue.faults import refuse

# 100,000 services with everything said about each are about 25 MB.
MOST_BYTES = 64 * 1024 * 1024
MOST_SERVICES = 250_000
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read_text(content: bytes) -> str:
    """UTF-8, with or without a byte-order mark. Raises BadCatalogue naming the line of the first bad byte."""
    if len(content) > MOST_BYTES:
        raise refuse("File", f"it is larger than {MOST_BYTES // (1024 * 1024)} MB")
    if encoding := _OTHER_ENCODINGS.get(content[:2]):
        raise refuse("Line 1", f"the file is written in {encoding}; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise refuse(f"Line {line}", "this is not UTF-8; save the file as UTF-8") from None
    if (place := text.find("\0")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise refuse(f"Line {line}", "there is a zero byte, so this is not text")
    if not text.strip():
        raise refuse("File", "it is empty")
    return text
