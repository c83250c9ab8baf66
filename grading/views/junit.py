"""The view of a record as JUnit XML, as build servers read it: a suite for each topic, a test for each property.

It follows the schema of Jenkins' xUnit plugin, junit-10.xsd, which pytest's own reports follow too. The Ant schema asks
for a host and a time of every suite; a record holds neither.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import groupby

from grading.records import Record

from .cases import Case, cases
from .text import one_line


def results(record: Record) -> bytes:
    """Write a record as XML; what waits for a person, and what nobody could measure, is skipped."""
    found = [*([_refused(record)] if record.outcome == "refused" else []), *cases(record)]
    root = ET.Element("testsuites", {"name": one_line(record.submission), **_counts(found)})
    for suite, members in groupby(found, key=lambda case: case.suite):
        root.append(_suite(suite, list(members)))
    ET.indent(root, " ")
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _refused(record: Record) -> Case:
    reason = one_line(record.reason)
    return Case("submission", "submission", "can be graded", "", "", "error", 0.0, record.possible, reason, reason)


def _counts(found: Sequence[Case]) -> dict[str, str]:
    results = [case.result for case in found]
    seconds = sum(case.seconds for case in found)
    counts = {"tests": len(found), "failures": results.count("fail"), "errors": results.count("error")}
    return {**{name: str(count) for name, count in counts.items()}, "time": f"{seconds:.3f}"}


def _suite(name: str, members: Sequence[Case]) -> ET.Element:
    skipped = sum(case.result == "skipped" for case in members)
    suite = ET.Element("testsuite", {"name": name, "skipped": str(skipped), **_counts(members)})
    for case in members:
        _add(suite, case)
    return suite


def _add(suite: ET.Element, case: Case) -> None:
    test = ET.SubElement(suite, "testcase", name=case.name, classname=case.group, time=f"{case.seconds:.3f}")
    if case.result == "skipped":
        ET.SubElement(test, "skipped", message=case.message)
    elif case.result != "pass":
        kind = "failure" if case.result == "fail" else "error"
        reason = ET.SubElement(test, kind, message=case.message, type=kind)
        reason.text = "\n".join(filter(None, [case.title, case.mistake, case.details or case.message]))
        if case.printed:
            ET.SubElement(test, "system-out").text = case.printed
