"""`python -m tests.api_changes`: what changed in the API since the last commit of main, and what breaks.

Compares docs/api/openapi.json with the same file of another commit. Exit code 1 when a change would break a
caller that keeps to docs/api/changes.md, and does not stand there. Only what our own document uses is
compared in depth; a schema that is built another way (oneOf, allOf) breaks as soon as it differs.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.console import ROOT

Json = Mapping[str, Any]
FILE, AGREED = "docs/api/openapi.json", ROOT / "docs" / "api" / "changes.md"
_VERBS = ("get", "post", "put", "patch", "delete")
# They are for people: what may be sent, or comes back, is the same.
_WORDS = frozenset({"description", "title", "example", "examples", "default", "deprecated", "x-deprecated"})
_COMPARED = frozenset({"type", "enum", "properties", "required", "items"})


@dataclass(frozen=True)
class Change:
    """`where` is an operation with a path into it."""

    where: str
    what: str
    breaks: bool

    def __str__(self) -> str:
        return f"{'BREAKS' if self.breaks else 'fits'} {self.where}: {self.what}"


def changes(old: Json, new: Json) -> list[Change]:
    """In the order of the old document, what is new last."""
    return list(_Comparison(old, new).all())


@dataclass
class _Comparison:
    old: Json
    new: Json
    # Pairs of named schemas that were compared already, in this direction.
    seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def all(self) -> Iterator[Change]:
        before, after = _operations(self.old), _operations(self.new)
        for name, operation in before.items():
            if name not in after:
                yield Change(name, "is gone", breaks=True)
            else:
                # Each tells what it shares with others, once for itself.
                self.seen.clear()
                yield from self.operation(name, operation, after[name])
        yield from (Change(name, "is new", breaks=False) for name in after if name not in before)

    def operation(self, name: str, old: Json, new: Json) -> Iterator[Change]:
        for what in ("operationId", "security"):
            if old.get(what) != new.get(what):
                yield Change(name, f"{what} is another", breaks=True)
        if new.get("deprecated") and not old.get("deprecated"):
            yield Change(name, "is deprecated", breaks=False)
        yield from self.parameters(name, old, new)
        yield from self.bodies(name, old.get("requestBody"), new.get("requestBody"))
        yield from self.answers(name, old["responses"], new["responses"])

    def parameters(self, name: str, old: Json, new: Json) -> Iterator[Change]:
        before, after = (
            {f"{each['in']} {each['name']}": each for each in operation.get("parameters", ())}
            for operation in (old, new)
        )
        for which, parameter in before.items():
            if which not in after:
                yield Change(f"{name} {which}", "is gone", breaks=True)
                continue
            yield from _need(f"{name} {which}", parameter, after[which])
            schemas = parameter["schema"], after[which]["schema"]
            yield from self.schema(f"{name} {which}", *schemas, sent=True)
        for which, parameter in after.items():
            if which not in before:
                yield Change(f"{name} {which}", "is new", breaks=bool(parameter.get("required")))

    def bodies(self, name: str, old: Json | None, new: Json | None) -> Iterator[Change]:
        if old is None or new is None:
            if old is not new:
                is_needed = bool((new or {}).get("required"))
                yield Change(
                    name, "takes a body" if new else "takes no body", breaks=new is None or is_needed
                )
            return
        yield from _need(f"{name} body", old, new)
        yield from self.contents(f"{name} body", old["content"], new["content"], sent=True)

    def answers(self, name: str, old: Json, new: Json) -> Iterator[Change]:
        for status in sorted({*old, *new}):
            where, is_success = f"{name} {status}", status.startswith("2")
            if status not in new or status not in old:
                what = "is answered no more" if status not in new else "may be answered"
                yield Change(where, what, breaks=is_success)
                continue
            contents = old[status].get("content", {}), new[status].get("content", {})
            yield from self.contents(where, *contents, sent=False)

    def contents(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[Change]:
        for media in old:
            if media not in new:
                yield Change(where, f"{media} is gone", breaks=True)
            else:
                yield from self.schema(where, old[media]["schema"], new[media]["schema"], sent=sent)

    def schema(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[Change]:
        """What is sent may not be narrowed, what comes back may not be widened."""
        pair = _named(old), _named(new)
        if all(pair):
            if (*pair, sent) in self.seen:
                return
            self.seen.add((*pair, sent))
        old, new = _plain(self.old, old), _plain(self.new, new)
        for kind in sorted(_kinds(old) - _kinds(new)):
            yield Change(where, f"is {kind} no more", breaks=sent)
        for kind in sorted(_kinds(new) - _kinds(old)):
            yield Change(where, f"may be {kind}", breaks=not sent)
        yield from _options(where, old.get("enum"), new.get("enum"), sent=sent)
        yield from self.properties(where, old, new, sent=sent)
        if "items" in old and "items" in new:
            yield from self.schema(f"{where}/*", old["items"], new["items"], sent=sent)
        for word in sorted({*old, *new} - _WORDS - _COMPARED):
            if old.get(word) != new.get(word):
                breaks = not (sent and _is_looser(word, old.get(word), new.get(word)))
                yield Change(where, f"{word} is {new.get(word, 'gone')}", breaks=breaks)

    def properties(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            if name not in after:
                yield Change(f"{where}/{name}", "is gone", breaks=True)
                continue
            if name in needed[1] - needed[0]:
                yield Change(f"{where}/{name}", "is required", breaks=sent)
            if name in needed[0] - needed[1]:
                yield Change(f"{where}/{name}", "may be missing", breaks=not sent)
            if after[name].get("deprecated") and not schema.get("deprecated"):
                yield Change(f"{where}/{name}", "is deprecated", breaks=False)
            yield from self.schema(f"{where}/{name}", schema, after[name], sent=sent)
        for name in after:
            if name not in before:
                yield Change(f"{where}/{name}", "is new", breaks=sent and name in needed[1])


def _operations(document: Json) -> dict[str, Json]:
    return {
        f"{verb.upper()} {path}": verbs[verb]
        for path, verbs in document["paths"].items()
        for verb in _VERBS
        if verb in verbs
    }


def _need(where: str, old: Json, new: Json) -> Iterator[Change]:
    if bool(old.get("required")) != bool(new.get("required")):
        is_needed = bool(new.get("required"))
        yield Change(where, "is required" if is_needed else "may be missing", breaks=is_needed)


def _options(where: str, old: list[Any] | None, new: list[Any] | None, *, sent: bool) -> Iterator[Change]:
    """A new value in an answer fits: docs/api/changes.md asks callers to bear with it."""
    if old is None or new is None:
        if old is not new:
            yield Change(where, "has options" if new else "has no options", breaks=sent == bool(new))
        return
    gone, more = [each for each in old if each not in new], [each for each in new if each not in old]
    yield from (Change(where, f"{each!r} is no option", breaks=sent) for each in gone)
    yield from (Change(where, f"{each!r} is a new option", breaks=False) for each in more)


def _named(schema: Json) -> str:
    """What it points at, as itself or "or null"; "" for one that is written out."""
    others = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    found = str(schema.get("$ref", "")) or (str(others[0].get("$ref", "")) if len(others) == 1 else "")
    return f"{found}?" if others and found else found


def _plain(document: Json, schema: Json) -> Json:
    """With what $ref names in its place, and "this or null" as a type."""
    if "$ref" in schema:
        return _plain(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    others = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(others) == 1:
        found = _plain(document, others[0])
        return {**found, "type": sorted(_kinds(found) | {"null"})}
    return schema


def _kinds(schema: Json) -> frozenset[str]:
    kinds = schema.get("type", "anything")
    return frozenset([kinds] if isinstance(kinds, str) else kinds)


def _is_looser(word: str, old: Any, new: Any) -> bool:
    """Whether all that could be sent still can."""
    if new is None:
        return True
    if old is None:
        return False
    if word.startswith("max"):
        return bool(new >= old)
    return bool(new <= old) if word.startswith("min") else False


def _committed(revision: str) -> Json | None:
    """The document of that commit; None when it has none, or there is no such commit."""
    shown = subprocess.run(["git", "show", f"{revision}:{FILE}"], cwd=ROOT, capture_output=True, check=False)
    return dict(json.loads(shown.stdout)) if shown.returncode == 0 else None


def _last_of_main() -> str:
    """On main itself the commit before: there everything is in the last one."""
    here = _commit("HEAD")
    others = (each for each in map(_commit, ("origin/main", "main")) if each not in ("", here))
    return next(others, "HEAD^")


def _commit(revision: str) -> str:
    asked = ["git", "rev-parse", "--verify", "--quiet", revision]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.api_changes")
    parser.add_argument("--since", default="", help="A commit. Usual: the last one of main.")
    since = parser.parse_args().since or _last_of_main()
    old = _committed(since)
    if old is None:
        sys.stdout.write(f"The API: {since} has no {FILE} to compare with.\n")
        return 0
    found, agreed = changes(old, json.loads((ROOT / FILE).read_text())), AGREED.read_text().splitlines()
    for each in found:
        sys.stdout.write(f"{each}\n")
    unknown = [each for each in found if each.breaks and f"- `{each}`" not in agreed]
    if unknown:
        sys.stdout.write(
            f"{len(unknown)} changes would break callers, and do not stand in docs/api/changes.md.\n"
        )
    elif not found:
        sys.stdout.write(f"The API is as it was at {since[:12]}.\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
