"""What is looked at, from when on it is wrong, and what that means: one row each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from django.db import DatabaseError

from bars_portal.nhsuk.dates import format_moment, format_second
from bars_portal.sql import database_time
from bars_portal.status import selectors, watched
from bars_portal.status.models import Level


@dataclass(frozen=True)
class Finding:
    """How one thing stands now, and the fact behind that: numbers, times and names of services."""

    level: Level
    fact: str


@dataclass(frozen=True)
class Moment:
    """The database's clock, by which everything is aged, and this machine's own."""

    now: datetime
    ours: datetime


@dataclass(frozen=True)
class Check:
    """`patients` and `todo` are read when it is not well."""

    name: str
    title: str
    patients: str
    todo: str
    look: Callable[[Moment], Finding]


def graded(value: float, *, warning: float, wrong: float) -> Level:
    """The more, the worse."""
    if value >= wrong:
        return Level.WRONG
    return Level.WARNING if value >= warning else Level.WELL


def _database(_at: Moment) -> Finding:
    began = perf_counter()
    database_time()
    took, short = perf_counter() - began, selectors.pool_shortage()
    level = max_of(graded(took, warning=0.25, wrong=2), graded(short, warning=1, wrong=10))
    waits = f"; {short} requests wait for a connection" if short else ""
    return Finding(level, f"It answers in {took * 1000:.0f} ms{waits}.")


def _worker(at: Moment) -> Finding:
    seen = selectors.heartbeat()
    if seen is None:
        return Finding(Level.WRONG, "No worker has ever looked at what waits.")
    level = graded((at.now - seen).total_seconds(), warning=20, wrong=45)
    return Finding(level, f"A worker last looked at what waits {words_for(at.now - seen)} ago.")


def _broker(_at: Moment) -> Finding:
    if selectors.broker_answers():
        return Finding(Level.WELL, "It answers.")
    return Finding(Level.WARNING, "It does not answer.")


def _queue(at: Moment) -> Finding:
    oldest, waiting = selectors.oldest_that_could_go(now=at.now), selectors.waiting_messages(now=at.now)
    count = waiting["queued"].count
    if oldest is None:
        return Finding(Level.WELL, "Nothing waits that could be sent.")
    level = graded((at.now - oldest).total_seconds(), warning=60, wrong=300)
    words = "1 message waits" if count == 1 else f"{count} messages wait, the oldest"
    return Finding(level, f"{words} for {words_for(at.now - oldest)}.")


def _outcomes(at: Moment) -> Finding:
    waiting = selectors.waiting_messages(now=at.now)
    unknown, given_up = waiting["unknown"].count, waiting["abandoned"].count
    level = Level.WARNING if given_up else Level.WELL
    return Finding(level, f"{unknown} without a clear answer yet; {given_up} given up in the last day.")


def _partners(at: Moment) -> Finding:
    spared = selectors.spared_services()
    if not spared:
        last = selectors.last_answer()
        # A service that has just gone away is found out when it is next asked.
        when = f" The last answer: {format_second(last, at.now)}." if last else ""
        return Finding(Level.WELL, f"Every service that was asked has answered.{when}")
    named = "; ".join(
        f"{each.name} ({each.service_id})"
        + (f" since {format_moment(each.failing_since, at.now)}" if each.failing_since else "")
        for each in spared[:10]
    )
    more = f"; and {len(spared) - 10} more" if len(spared) > 10 else ""
    return Finding(Level.WARNING, f"Not answering: {named}{more}.")


def _certificates(at: Moment) -> Finding:
    found = watched.expiries()
    if not found:
        return Finding(Level.WARNING, "None is watched: set BARS_WATCHED_CERTIFICATES.")
    unread = [each.name for each in found if each.ends_at is None]
    if unread:
        return Finding(Level.WRONG, f"Not readable: {', '.join(unread)}.")
    ends = {each.name: each.ends_at for each in found if each.ends_at}
    first = min(ends, key=lambda name: ends[name])
    days = (ends[first] - at.now).days
    level = graded(-days, warning=-watched.ALARM_DAYS[0], wrong=-7)
    if ends[first] <= at.now:
        return Finding(level, f"{first} ended {words_for(at.now - ends[first])} ago.")
    return Finding(level, f"The first to end is {first}, in {words_for(ends[first] - at.now)}.")


def _token(at: Moment) -> Finding:
    token = selectors.token_state()
    if token.failing_since is None:
        return Finding(Level.WELL, "The last renewal worked." if token.expires_at else "None was needed yet.")
    dead = token.expires_at is None or token.expires_at <= at.now
    whose = f" of {token.whose}" if token.whose else ""
    since = f"Renewals{whose} have failed since {format_moment(token.failing_since, at.now)}"
    left = "there is no token" if dead else "the current token still works"
    return Finding(Level.WRONG if dead else Level.WARNING, f"{since}; {left}.")


def _clocks(at: Moment) -> Finding:
    off = {name: ahead for name, ahead in selectors.clocks(ours=at.ours).items() if abs(ahead) > 30}
    if not off:
        return Finding(Level.WELL, "They agree within 30 seconds.")
    words = "; ".join(
        f"the {name}'s is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} ours"
        for name, ahead in off.items()
    )
    return Finding(
        graded(max(map(abs, off.values())), warning=30, wrong=240), f"{words[0].upper()}{words[1:]}."
    )


def _sealer(at: Moment) -> Finding:
    since = selectors.unsealed_since()
    if since is None:
        return Finding(Level.WELL, "Every event is in the chain.")
    level = graded((at.now - since).total_seconds(), warning=60, wrong=600)
    return Finding(level, f"The oldest event outside the chain is {words_for(at.now - since)} old.")


def _webhooks(at: Moment) -> Finding:
    found = selectors.webhooks(now=at.now)
    late = at.now - found.late_since if found.late_since else timedelta()
    level = graded(late.total_seconds(), warning=60, wrong=600)
    if late.total_seconds() >= 60:
        return Finding(level, f"A delivery is due for {words_for(late)}, and nobody has tried it.")
    if not found.failing and not found.off:
        words = {0: "There are none.", 1: "1 is on, and takes what it is sent."}
        return Finding(level, words.get(found.on, f"{found.on} are on, and take what they are sent."))
    counts = f"{found.on} on, {found.failing} of them not answering; {found.off} switched off for that."
    return Finding(max_of(level, Level.WARNING), counts)


def _diaries(at: Moment) -> Finding:
    behind = selectors.clinics_behind(now=at.now)
    if not behind:
        return Finding(Level.WELL, "All clinics have their slots as far ahead as planned.")
    more = f"; and {len(behind) - 10} more" if len(behind) > 10 else ""
    return Finding(Level.WARNING, f"Slots are not made as planned: {'; '.join(behind[:10])}{more}.")


def _disks(_at: Moment) -> Finding:
    found = list(selectors.disks())
    if not found:
        return Finding(Level.WELL, "This process writes to no disk.")
    least = min(found, key=lambda disk: disk.free_share)
    level = graded(-least.free_share, warning=-0.1, wrong=-0.03)
    return Finding(level, f"{least.free_share:.0%} is free where {least.name} is kept.")


CHECKS = (
    Check(
        "database",
        "Database",
        "Pages are slow, and partners may be told to try again.",
        "Look for long statements and for its load; then at how many processes share it.",
        _database,
    ),
    Check(
        "worker",
        "Worker",
        "Bookings and referrals are not sent; whoever made them sees that they are still being confirmed. "
        "Nothing is lost.",
        "Start the worker, or read its log. It then sends by itself what has waited.",
        _worker,
    ),
    Check(
        "broker",
        "Broker (Redis or RabbitMQ)",
        "Messages leave up to a second later than usual. Nothing is lost.",
        "Start it. Until then hourly tidying and the worker's own timetable rest.",
        _broker,
    ),
    Check(
        "queue",
        "Messages waiting to be sent",
        "Some bookings or referrals reach their service late. Clinicians see that they are still being "
        "confirmed.",
        "Look whether the worker runs and the BaRS proxy answers. Against load, start one more worker.",
        _queue,
    ),
    Check(
        "outcomes",
        "Messages without a clear answer",
        "For some patients nobody knows whether the service has them: whoever sent the message is told to "
        "telephone.",
        'Open "Messages that need a person", and settle each with the service.',
        _outcomes,
    ),
    Check(
        "partners",
        "Services we send to",
        "Clinicians are told before they choose that the service does not answer. They book elsewhere or "
        "telephone.",
        "Tell the service. It is tried again by itself, and once it answers messages go out again.",
        _partners,
    ),
    Check(
        "certificates",
        "Certificates and revocation lists",
        "When one ends, partners cannot reach us: no bookings and referrals arrive.",
        'Open "Certificates and keys". Renew it now and put the new file in its place; it is read without a '
        "restart.",
        _certificates,
    ),
    Check(
        "token",
        "Access to the BaRS API",
        "Without a token nothing is sent and no times are found. What was booked waits.",
        "Check that the key is registered, that it has not been withdrawn, and that our clock is right.",
        _token,
    ),
    Check(
        "clocks",
        "Clocks",
        "The API refuses us when our clock is minutes off; times in the history mislead.",
        "Look at the time service of the machine that is named.",
        _clocks,
    ),
    Check(
        "sealer",
        "Audit trail's chain",
        "None. But what is changed in the trail before it is sealed would not be found.",
        "Look whether a worker or the sealer runs, and read its log.",
        _sealer,
    ),
    Check(
        "webhooks",
        "Webhooks of applications",
        "None by themselves: what happened is kept, and other systems hear of it later.",
        "Tell whoever runs that system: the administration names it. When nothing is tried at all, look at "
        "the worker.",
        _webhooks,
    ),
    Check(
        "diaries",
        "Slots of clinics",
        "Others find fewer times to book than the services mean to offer, and in the end none.",
        "Look whether the worker with its timetable runs: it makes slots once an hour.",
        _diaries,
    ),
    Check(
        "disks",
        "Disk space",
        "When the disk is full the worker is told late of new messages.",
        "Make room, or move the folder.",
        _disks,
    ),
)


def max_of(*levels: Level) -> Level:
    return max(levels, key=list(Level).index)


def words_for(span: timedelta) -> str:
    """The largest whole unit: "12 seconds", "1 hour", "40 days"."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return _counted(seconds // size, unit)
    return _counted(seconds, "second")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def look_at_all(at: Moment) -> Iterator[tuple[Check, Finding]]:
    """One that cannot be looked at is wrong, and hides no other."""
    for check in CHECKS:
        try:
            yield check, check.look(at)
        except DatabaseError:
            yield check, Finding(Level.WRONG, "It cannot be looked at: the database did not answer.")
