"""Product against floor in one run: interleaved pairs, so that a busy machine slows both alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

FEWEST_PAIRS = 5
_ASIDE = "not counted"


@dataclass(frozen=True)
class Aside:
    """What a call may return: seconds of it that are not the product's own, printed beside and left out."""

    seconds: float


@dataclass(frozen=True)
class Batch:
    """`repeats` calls: seconds that count, and seconds left out."""

    own: float
    aside: float


def compare(
    name: str,
    product: Callable[[], object],
    floor: Callable[[], object],
    *,
    bound: float | None = None,
    pairs: int = 7,
    repeats: int,
    requests: int = 1,
    at_least: bool = False,
) -> bool:
    """Time both in turn and print median and range; whether the median of the pairs' ratios keeps the bound.

    The ratio is cost, product to floor, at most `bound`. With `at_least` it is speed: how many times as fast
    the product is as the floor. Without a bound the figures are only told. One call makes so many `requests`:
    times are told for one of them. Raises ValueError for fewer than
    5 pairs.
    """
    if pairs < FEWEST_PAIRS:
        raise ValueError(f"At least {FEWEST_PAIRS} pairs.")
    for warm_up in (product, floor):
        _batch(warm_up, max(1, repeats // 4))
    measured = [_pair(product, floor, repeats, product_first=number % 2 == 0) for number in range(pairs)]
    ratios = [_ratio(ours, theirs, at_least=at_least) for ours, theirs in measured]
    say(name)
    _say_times("product", [ours for ours, _ in measured], repeats * requests)
    _say_times("floor", [theirs for _, theirs in measured], repeats * requests)
    return holds("ratio", ratios, bound=bound, at_least=at_least)


def holds(what: str, figures: Sequence[float], *, bound: float | None, at_least: bool = False) -> bool:
    """Print median and range of the figures and the bound; whether the median keeps it."""
    if bound is None:
        say(f"  {what:<8} {_spread(figures)}; no bound")
        return True
    middle = median(figures)
    kept = middle >= bound if at_least else middle <= bound
    wanted = f"{'at least' if at_least else 'at most'} {bound:g}"
    say(f"  {what:<8} {_spread(figures)}; {wanted}: {'holds' if kept else 'MISSED'}")
    return kept


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def finish(*kept: bool) -> None:
    """Ends the script: 0 when every bound was kept, else 1."""
    sys.exit(0 if all(kept) else 1)


def _pair(
    product: Callable[[], object], floor: Callable[[], object], repeats: int, *, product_first: bool
) -> tuple[Batch, Batch]:
    if product_first:
        ours = _batch(product, repeats)
        return ours, _batch(floor, repeats)
    theirs = _batch(floor, repeats)
    return _batch(product, repeats), theirs


def _batch(call: Callable[[], object], repeats: int) -> Batch:
    aside, began = 0.0, perf_counter()
    for _ in range(repeats):
        answer = call()
        if isinstance(answer, Aside):
            aside += answer.seconds
    return Batch(perf_counter() - began - aside, aside)


def _ratio(ours: Batch, theirs: Batch, *, at_least: bool) -> float:
    return theirs.own / ours.own if at_least else ours.own / theirs.own


def _say_times(who: str, batches: Sequence[Batch], repeats: int) -> None:
    say(f"  {who:<8} {_spread([each.own / repeats * 1000 for each in batches])} ms")
    if any(each.aside for each in batches):
        say(f"  {_ASIDE:<8} {_spread([each.aside / repeats * 1000 for each in batches])} ms")


def _spread(figures: Sequence[float]) -> str:
    return f"median {median(figures):.3f} ({min(figures):.3f} to {max(figures):.3f})"
