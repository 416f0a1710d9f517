"""One line at the end of a run that says what was not tested here, and for want of what."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

MISSING = re.compile(r"could not import '(?P<library>\w+)|^(?P<dependency>\w+) is a test dependency")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the line; with xdist, of all processes."""
    # By their names: each process of xdist tells of a whole file that it cannot import.
    skipped = {report.nodeid: reason_of(report) for report in terminalreporter.stats.get("skipped", [])}
    if skipped:
        terminalreporter.write_line(closing_line(skipped.values()), yellow=True)


def reason_of(report: Any) -> str:
    """Why a test, or a whole file of them, was skipped."""
    return report.longrepr[2] if isinstance(report.longrepr, tuple | list) else str(report.longrepr)


def closing_line(reasons: Iterable[str]) -> str:
    """What the reasons come to, most frequent first, then by the alphabet.

    >>> closing_line(["Skipped: could not import 'decord': No module named 'decord'", "Skipped: there is no GPU"] * 2)
    'Not tested here: decord is missing (2), there is no GPU (2)'
    >>> closing_line(["Skipped: timm is a test dependency"])
    'Not tested here: timm is missing (1)'
    """
    said = Counter(sorted(lacks(reason.removeprefix("Skipped: ").splitlines()[0]) for reason in reasons))
    return "Not tested here: " + ", ".join(f"{reason} ({count})" for reason, count in said.most_common())


def lacks(reason: str) -> str:
    """The library that is missing, where that is the reason."""
    found = MISSING.search(reason)
    return f"{found['library'] or found['dependency']} is missing" if found else reason
