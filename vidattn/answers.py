"""Answers about videos as files: the likeliest classes of each, with probabilities."""

import csv
import json
from pathlib import Path
from typing import Any


def write_answers(file: Path, rows: list[dict[str, Any]], top: int) -> None:
    """JSON: the rows as they are. CSV: a line for each answered row, columns path, class_1, probability_1, ..., and
    `answer` behind the path where rows have one.

    Both are UTF-8; bytes in a file's name that are none stand there as escapes.

    Args:
        file: ends in `.json` or `.csv`; its folder is made.
        rows: `{path, top: [{class, probability}]}`, likeliest first; `answer` where that may be none of them.
        top: how many classes the CSV has columns for.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix.lower() == ".json":
        file.write_text(json.dumps(rows, indent=2) + "\n")
        return
    with file.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream:
        writer = csv.writer(stream)
        answer = ["answer"] if any("answer" in row for row in rows) else []
        writer.writerow(
            ["path", *answer, *(f"{kind}_{i}" for i in range(1, top + 1) for kind in ("class", "probability"))]
        )
        for row in rows:
            answers = row.get("top", [])
            if answers:
                cells = [cell for one in answers[:top] for cell in (one["class"], f"{one['probability']:.6f}")]
                writer.writerow([row["path"], *(row.get(name, "") for name in answer), *cells])
