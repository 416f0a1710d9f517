"""`vidattn doctor`: the report."""

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vidattn.commands.options import Parser
from vidattn.doctor.diagnosis import Finding, diagnose, ffmpeg_finding, machine_findings
from vidattn.doctor.questions import QUESTIONS, ask

_MARKS = {"ok": "[green]ok[/]", "note": "[yellow]-[/]", "trouble": "[red]trouble[/]"}


def doctor(words: list[str]) -> None:
    """Say what is here, what is used for what, and how to mend what is broken; status 1 where something is."""
    parser = Parser("vidattn doctor", description="What works here, what does not, and the line that mends it.")
    parser.add_argument("--json", action="store_true", help="the same for programs")
    options = parser.parse_args(words)
    with Console(stderr=True).status("Asking the libraries, in processes of their own ..."):
        answers = ask(QUESTIONS)
    report = [
        Finding("Python", "ok", platform.python_version(), f"{platform.system()} on {platform.machine()}"),
        *diagnose(answers, has_nvidia=shutil.which("nvidia-smi") is not None),
        ffmpeg_finding(_ffmpeg_version()),
        *machine_findings(),
    ]
    if options.json:
        print(json.dumps([asdict(finding) for finding in report], indent=2))
    else:
        _show(report)
    if any(finding.state == "trouble" for finding in report):
        sys.exit(1)


def _show(report: list[Finding]) -> None:
    console = Console(soft_wrap=not sys.stdout.isatty())
    table = Table("part", "", "version", "what for")
    for finding in report:
        text = "see below" if finding.state == "trouble" else finding.text
        table.add_row(finding.name, _MARKS[finding.state], escape(finding.version), escape(text))
    console.print(table)
    troubles = [finding for finding in report if finding.state == "trouble"]
    for finding in troubles:
        console.print(Text.assemble((f"{finding.name}: ", "bold red"), finding.text))
        if finding.mend:
            console.print(Text(f"    {finding.mend}"))
    if not troubles:
        console.print("Nothing is broken.")


def _ffmpeg_version() -> str | None:
    try:
        output = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return output.splitlines()[0] if output else None
