"""The UUID in the fullUrl of a slot or a diary: like its id, but never equal to it (standard section 5)."""

from uuid import UUID

_HEX, _MIRRORED = "0123456789abcdef", "fedcba9876543210"
_MIRROR = str.maketrans(_HEX, _MIRRORED)


def paired_id(resource_id: UUID) -> str:
    """The id with its last four digits mirrored, so that each id has a pair of its own."""
    text = str(resource_id)
    return text[:-4] + text[-4:].translate(_MIRROR)


def paired_id_sql(column: str) -> str:
    """The same as an SQL expression over a uuid column."""
    return f"left({column}::text, 32) || translate(right({column}::text, 4), '{_HEX}', '{_MIRRORED}')"
