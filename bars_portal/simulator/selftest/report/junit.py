"""JUnit XML, as build servers read it: a suite for each group."""

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from bars_portal.simulator.selftest.model import Json

# XML 1.0 has no place for these, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[Json]) -> bytes:
    """The document; each scenario is a test case, its rule and exchanges are in the failure's text."""
    root = ET.Element("testsuites", name="Booking and Referral Standard self-test")
    for group, cases in groupby(results, key=lambda each: each["group"]):
        listed = list(cases)
        suite = ET.SubElement(root, "testsuite", name=group, tests=str(len(listed)))
        for verdict, name in (("failed", "failures"), ("skipped", "skipped")):
            suite.set(name, str(sum(each["verdict"] == verdict for each in listed)))
        for each in listed:
            _case(suite, each)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _case(suite: ET.Element, told: Json) -> None:
    name, seconds = f"{told['id']} {told['name']}", str(told["seconds"])
    case = ET.SubElement(suite, "testcase", name=_clean(name), classname=told["group"], time=seconds)
    if told["verdict"] == "failed":
        failure = ET.SubElement(case, "failure", message=_clean("; ".join(told["findings"])))
        failure.text = _clean(_account(told))
    elif told["verdict"] == "skipped":
        ET.SubElement(case, "skipped", message=_clean("; ".join(told["findings"])))


def _account(told: Json) -> str:
    lines = [told["rule"]]
    for each in told["exchanges"]:
        sent, came = each["request"], each["response"]
        lines += [f"{sent['method']} {sent['url']}", sent["body"], f"Answer {came['status']}", came["body"]]
        lines += each["findings"]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
