"""The code lists of this installation."""

from referrals.code_file import CodeRow
from referrals.models import ListedCode


def offered_codes(*names: str) -> list[CodeRow]:
    """In their order, of these lists; of all lists when none is named."""
    rows = ListedCode.objects.filter(offered=True)
    chosen = rows.filter(list_name__in=names) if names else rows
    return [CodeRow(*each) for each in chosen.values_list("list_name", "system", "code", "display")]
