"""The published messages, and those that are described but not published, made from their relatives."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

from bars_portal.exchange.fhir import json as fhir_json

Json = dict[str, Any]
Change = Callable[[Json], None]


def example(shared_dir: Path, start: str) -> Json:
    (path,) = (shared_dir / "fhir" / "examples").glob(f"{start}*.json")
    return fhir_json.loads(path.read_bytes())


# What every published message is, and the lapses that are recorded with it (messages.md, first section).
PUBLISHED = {
    "BOOKREQ01": ("booking-new", ()),
    "BOOKREQ02": ("booking-cancelled", ("cancel-reason",)),
    "REFREQ01": ("referral-new", ("nhs-number", "identifier-system", "displays")),
    "REFREQ02": ("referral-new", ("nhs-number", "identifier-system")),
    "REFREQ03": ("referral-new", ("nhs-number", "identifier-system")),
    "REFREQ04": ("referral-new", ("nhs-number", "identifier-system")),
    "REFREQ8A": ("referral-new", ("identifier-system",)),
    "REFREQ8B": ("referral-update", ("identifier-system", "counts")),
    "REFRESP01": ("referral-did-not-attend", ("identifier-system",)),
    "REFRESP02": ("cad-rejection", ("identifier-system", "definition-fits")),
    "SERVREQ01": ("validation-cancelled", ("contact-ranks",)),
    "VALREQ01": ("validation-new", ("nhs-number", "displays")),
    "VALREQ02": ("validation-update", ("contact-ranks",)),
    "VALREQ03": ("validation-new", ("nhs-number",)),
    "VALRESP01 ": ("validation-new", ("counts",)),
    "VALRESP01A": ("validation-interim", ("codes",)),
    "VALRESP01B": ("validation-full", ("codes",)),
    "VALRESP02": ("validation-full", ("codes",)),
    "VALRESP04": ("validation-rejected", ("codes",)),
}


def first(raw: Json, kind: str) -> Json:
    found: Json = next(each["resource"] for each in raw["entry"] if each["resource"]["resourceType"] == kind)
    return found


def encounters(raw: Json) -> list[Json]:
    return [each["resource"] for each in raw["entry"] if each["resource"]["resourceType"] == "Encounter"]


def in_use_case(code: str) -> Change:
    def change(raw: Json) -> None:
        codings = first(raw, "ServiceRequest")["category"][0]["coding"]
        codings[1] = {"system": codings[1]["system"], "code": code}

    return change


def seen(*statuses: str) -> Change:
    """The Encounters have these statuses; more are copies of the last, fewer are dropped."""

    def change(raw: Json) -> None:
        while len(encounters(raw)) < len(statuses):
            copy = {"fullUrl": f"urn:uuid:{uuid4()}", "resource": deepcopy(encounters(raw)[-1])}
            raw["entry"].append(copy)
        for encounter, status in zip(encounters(raw), statuses, strict=True):
            encounter["status"] = status
            if status != "cancelled":
                encounter.pop("reasonCode", None)

    return change


def about_a_referral(raw: Json) -> None:
    request = first(raw, "ServiceRequest")
    request["category"][0]["coding"][0].update(code="referral", display="Referral")
    (profile,) = request["meta"]["profile"]
    request["meta"]["profile"] = [profile.replace("validation", "referral")]
    request["authoredOn"] = request["meta"]["lastUpdated"]


def deleted(raw: Json) -> None:
    header = first(raw, "MessageHeader")
    header["reason"]["coding"][0]["code"] = "delete"
    del header["definition"]
    first(raw, "ServiceRequest")["status"] = "entered-in-error"


def with_status(status: str) -> Change:
    def change(raw: Json) -> None:
        url = first(raw, "MessageHeader")["focus"][0]["reference"]
        next(each["resource"] for each in raw["entry"] if each["fullUrl"] == url)["status"] = status

    return change


# Messages that are described but not in the folder, made from their nearest relative.
UNPUBLISHED: list[tuple[str, str, str, tuple[Change, ...]]] = [
    ("REFREQ05", "REFREQ04", "referral-new", (in_use_case("a6t3"), seen("triaged"))),
    ("REFREQ06", "REFREQ03", "referral-new", (in_use_case("a5t3"),)),
    ("REFREQ07", "REFREQ03", "referral-new", (in_use_case("a5t2"),)),
    ("REFREQ8C", "REFREQ8B", "referral-update", (seen("triaged", "planned"),)),
    ("REFREQ8D", "REFREQ8B", "referral-update", (seen("finished", "in-progress"),)),
    ("REFREQ9A-1", "REFREQ8A", "referral-new", (in_use_case("a6t1"),)),
    ("REFREQ9A-2", "REFREQ8B", "referral-update", (seen("in-progress", "planned"),)),
    ("REFREQ9A-3", "REFREQ8B", "referral-update", (seen("triaged", "in-progress"),)),
    ("VALRESP03", "VALRESP02", "validation-full", (seen("triaged", "finished", "planned"),)),
    ("VALRESP05", "VALRESP02", "validation-full", (in_use_case("a4t2"),)),
    ("SERVREQ02", "SERVREQ01", "validation-cancelled", (deleted,)),
    ("REFRESP03", "REFRESP02", "cad-response", (in_use_case("a6t1"), seen("triaged", "planned"))),
    ("BOOKREQ02 in error", "BOOKREQ02", "booking-entered-in-error", (with_status("entered-in-error"),)),
    ("SERVREQ01 referral", "SERVREQ01", "referral-revoked", (about_a_referral, in_use_case("a1t1"))),
    (
        "SERVREQ02 referral",
        "SERVREQ01",
        "referral-entered-in-error",
        (about_a_referral, in_use_case("a1t1"), with_status("entered-in-error")),
    ),
]
