"""How a policy says no: `check_can_x` raises with a sentence for the person, `can_x` is its boolean."""

from collections.abc import Callable


class PolicyRefused(Exception):
    """`sentence` says why, to the person who tried; it names no patient."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def need(fulfilled: bool, sentence: str) -> None:
    """Raises PolicyRefused with the sentence."""
    if not fulfilled:
        raise PolicyRefused(sentence)


def allowed(check: Callable[[], None]) -> bool:
    try:
        check()
    except PolicyRefused:
        return False
    return True
