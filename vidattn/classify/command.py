"""`vidattn classify`: the classifier in the shell."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from vidattn.checkpoints.names import WeightsError
from vidattn.classify.card import list_html, page_html
from vidattn.classify.classifier import Classifier
from vidattn.classify.prediction import Predictions
from vidattn.classify.sources import One, expand, name_of
from vidattn.classify.timeline import Timeline, write_segments
from vidattn.data.errors import VideoDecodeError

_Skipped = list[tuple[str, str]]


def classify(words: list[str]) -> None:
    """Classify what the words name, show a table for each video, and write the files that are asked for.

    Leaves with status 1 where some video could not be read, and 2 where nothing could be done.
    """
    options = _parser().parse_args(words)
    console = Console(soft_wrap=not sys.stdout.isatty())  # no lines broken where a program reads them
    try:
        _check(options)
        sources = [one for file in options.files for one in expand(file)[0]]
        classifier = Classifier.from_pretrained(
            options.weights,
            device=options.device,
            precision=options.precision,
            compile=options.compile,
            class_names=options.class_names,
            image_size=options.image_size,
            num_clips=options.num_clips,
            num_crops=options.num_crops,
            batch_size=options.batch_size,
            reader=options.reader,
        )
        answer = _timelines if options.timeline else _predictions
        skipped = answer(classifier, sources, options, console)
    except (WeightsError, VideoDecodeError, ValueError, OSError, ImportError) as error:
        print(f"vidattn classify: {error}", file=sys.stderr)
        sys.exit(2)
    for path, reason in skipped:
        print(f"vidattn classify: {path}: {reason}", file=sys.stderr)
    if skipped:
        sys.exit(1)


def _predictions(classifier: Classifier, sources: Sequence[One], options: Namespace, console: Console) -> _Skipped:
    answers = classifier(sources, progress=len(sources) > 1 and console.is_terminal)
    assert isinstance(answers, Predictions)
    for prediction in answers:
        console.print(prediction.table(options.top))
    for file in filter(None, (options.csv, options.json)):
        answers.save(file, options.top)
    _finish([prediction.to_html(options.top) for prediction in answers], answers.skipped, options, console)
    return answers.skipped


def _timelines(classifier: Classifier, sources: Sequence[One], options: Namespace, console: Console) -> _Skipped:
    timelines: list[Timeline] = []
    skipped: _Skipped = []
    for source in sources:
        try:
            timeline = classifier.timeline(source, options.window, options.step, progress=console.is_terminal)
        except VideoDecodeError as error:
            skipped.append((name_of(source), error.reason))
            continue
        console.print(timeline)
        timelines.append(timeline)
    if options.csv:
        write_segments(options.csv, timelines)
    if options.json:
        options.json.write_text(json.dumps([timeline.to_dict(options.top) for timeline in timelines], indent=2) + "\n")
    _finish([timeline.to_html() for timeline in timelines] if options.save_html else [], skipped, options, console)
    return skipped


def _finish(cards: Sequence[str], skipped: _Skipped, options: Namespace, console: Console) -> None:
    """Write the page, and name all files that were written."""
    if options.save_html:
        body = list_html(cards, skipped)
        options.save_html.write_text(page_html(f"What {options.weights} says", [body]), encoding="utf-8")
    for file in filter(None, (options.csv, options.json, options.save_html)):
        console.print(Text(f"wrote {file}"))


def _check(options: Namespace) -> None:
    """Say before anything runs that a file could not be written, or that options do not fit."""
    for file, ending in ((options.csv, ".csv"), (options.json, ".json"), (options.save_html, ".html")):
        if file is not None and file.suffix != ending:
            raise ValueError(f"{file}: wanted a name that ends in {ending}")
        if file is not None and not file.parent.is_dir():
            raise ValueError(f"{file}: the folder {file.parent} does not exist; make it first")
    if options.top < 1:
        raise ValueError(f"--top {options.top}: wanted at least one class to show")
    if not options.timeline and (options.window, options.step) != (None, None):
        raise ValueError("--window and --step are for --timeline; add it")


def _parser() -> ArgumentParser:
    parser = ArgumentParser("vidattn classify", description="What is happening in these videos? A table for each.")
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="a video, a folder of videos, or a glob in quotes")
    add(
        "--weights",
        required=True,
        metavar="SOURCE",
        help="a folder, a file, a run or an id on the hub, as for vidattn.load",
    )
    add("--timeline", action="store_true", help="what happens when: windows that slide over each video")
    add("--window", type=float, metavar="SECONDS", help="of a timeline; as long as a clip in training by default")
    add("--step", type=float, metavar="SECONDS", help="from window to window; half a window by default")
    add("--csv", type=Path, metavar="FILE", help="write the answers, a line for each video or segment")
    add("--json", type=Path, metavar="FILE", help="write the answers with all that is known")
    add("--save-html", type=Path, metavar="FILE", help="write a page that stands alone, for any browser")
    add("--top", type=int, default=5, help="how many classes to show; 5 by default")
    add("--class-names", metavar="FILE", help="a name on each line, for a checkpoint that names no classes")
    add(
        "--num-clips",
        type=int,
        default=1,
        help="clips of a video, evenly over time; answers are averaged; 1 by default",
    )
    add("--num-crops", type=int, default=1, help="crops of each clip; 1 by default, papers take 3")
    add("--image-size", type=int, metavar="PIXELS", help="side of the crops; the checkpoint's by default")
    add("--device", help="cuda or cpu; cuda where there is one by default")
    add("--precision", choices=["fp32", "bf16"], default="fp32", help="bf16: half the memory, less exact")
    add("--compile", action="store_true", help="torch.compile: slow at first, faster after")
    add("--batch-size", type=int, default=8, help="clips that go through the network together; 8 by default")
    readers = ["pyav", "decord", "torchcodec", "torchcodec_cuda"]
    add("--reader", choices=readers, default="pyav", help="decoder of files; pyav by default")
    return parser
