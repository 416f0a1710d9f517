"""What can be exported: every part tried, the largest difference of its answers, or the reason of a refusal."""

import csv
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from vidattn.export.about import About
from vidattn.export.cases import Case, cases
from vidattn.export.onnx_file import OPSET, Session, check_onnx, write_onnx
from vidattn.export.program import traced
from vidattn.export.pt2 import run_pt2, write_pt2
from vidattn.export.write import LIMIT, largest_difference
from vidattn.mistakes import Mistake
from vidattn.preprocessing import Preprocessing
from vidattn.writable import check_place, writing

COLUMNS = ("kind", "name", "pt2", "onnx", "refused")


def write_table(file: Path, chosen: Sequence[Case] | None = None) -> None:
    """Try all of `cases`, or the chosen ones, and write and print a row for each as it comes.

    Raises:
        ValueError: the file cannot be written, or a library of the extra `vidattn[export]` is missing.
    """
    check_place(file, folder=False)
    check_onnx(OPSET, 0, file)
    with writing(file), open(file, "w", newline="") as opened:
        rows = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        rows.writeheader()
        for row in tried(cases() if chosen is None else chosen):
            rows.writerow(row)
            opened.flush()
            print(", ".join(filter(None, row.values())), flush=True)


def tried(chosen: Sequence[Case]) -> Iterator[dict[str, str]]:
    """A row for each: the differences of a .pt2 and an ONNX file, and why one of them is refused."""
    with tempfile.TemporaryDirectory() as folder:
        for case in chosen:
            yield {"kind": case.kind, "name": case.name, **_differences(case, Path(folder))}


def _differences(case: Case, folder: Path) -> dict[str, str]:
    graph = case.build().eval()
    about = about_case(case)
    found, refusals = {"pt2": "", "onnx": ""}, []
    try:
        program, example, shapes = traced(graph, case.clip, about.dynamic, case.name)
    except Mistake as error:
        return {**found, "refused": str(error)}
    for kind in found:
        file = folder / f"tried.{kind}"
        try:
            if kind == "pt2":
                write_pt2(program, about, file)
                difference = largest_difference(graph, run_pt2(file), about)
            else:
                write_onnx(program, example, shapes, about, file)
                difference = largest_difference(graph, Session(file), about)
        except Mistake as error:
            refusals.append(f"{kind}: {error}")
            continue
        found[kind] = f"{difference:.1e}"
        if not difference <= LIMIT:
            refusals.append(f"{kind}: differs by more than {LIMIT:.0e}")
    return {**found, "refused": "; ".join(refusals)}


def about_case(case: Case) -> About:
    """What an exported file of it says."""
    graph = case.build()
    preprocessing = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    outputs = dict(graph.outputs)
    return About(graph.task, ["a", "b", "c"], preprocessing, case.name, *case.clip, 3, outputs, opset=OPSET)
