"""`vidattn predict`: answers about a list of videos; a detector's where its weights are named."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import track

from vidattn.classify.detector import Detector
from vidattn.classify.video_detections import write_told_csv, write_told_json
from vidattn.commands.detection_journal import DetectionJournal
from vidattn.commands.ending import Ended, sigterm_interrupts
from vidattn.commands.options import Parser
from vidattn.commands.output_files import check_output, write_output
from vidattn.data.errors import VideoDecodeError
from vidattn.data.segment import WHOLE_FILE
from vidattn.data.videos.manifest import Manifest, read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.mistakes import Mistake
from vidattn.probing.store import fingerprint
from vidattn.wording import counted

COMMAND = "vidattn predict"


def predict(words: list[str]) -> None:
    """`vidattn predict`, with the words behind it: by a run's configuration as all tasks of Lightning's command line,
    or, with `--weights`, of a detector of actions.

    Of a detector it leaves with status 1 where some video could not be read or the file not be written, 2 where nothing
    could be done, and 130 after Ctrl-C, 143 after SIGTERM (the same words go on from there).
    """
    if not any(word.split("=")[0] == "--weights" for word in words):
        from vidattn.commands import trainer  # Lightning takes seconds to import

        return trainer.predict(words)
    options = _parser().parse_args(words)
    with sigterm_interrupts() as ended:
        _detections(options, ended)


def _detections(options: Namespace, ended: Ended) -> None:
    check_output(options.out, ".csv", ".json")
    manifest = _whole_files(options)
    detector = Detector.from_pretrained(
        options.weights, device=options.device, batch_size=options.batch_size, least=options.least
    )
    for note in detector.preparation.assumed:
        print(f"{COMMAND}: {note}", file=sys.stderr)
    unused = ("head.", "readout.")  # of a detector they are fresh each time
    made_by = {
        "weights": [fingerprint(detector.network, unused), fingerprint(detector.decoder)],
        "clips": [str(detector.preparation.sampling), detector.preparation.image_size],
        "least": detector.least,
        "linking": asdict(detector.linking),
    }
    journal = DetectionJournal(options.out.with_name(f"{options.out.name}.journal"), made_by)
    paths = list(dict.fromkeys(video.path for video in manifest.videos))
    skipped, interrupted = _work_through(paths, detector, journal)
    skipped = [*((path, "no such file") for path in manifest.missing_paths), *skipped]
    for path, reason in skipped:
        print(f"{COMMAND}: {path}: {reason}", file=sys.stderr)
    done = sum(path in journal for path in paths)
    if interrupted:
        print(
            f"{COMMAND}: {ended.word} after {done} of {counted(len(paths), 'video')}, whose answers are kept in "
            f"{journal.path}; the same words go on from there",
            file=sys.stderr,
        )
        sys.exit(ended.status)

    def write(file: Path) -> None:
        if file.suffix == ".csv":
            write_told_csv(file, journal.told(paths))
        else:
            write_told_json(file, journal.told(paths), skipped)

    complete = done > 0 and write_output(COMMAND, [(options.out, write)])
    if skipped or not complete:
        sys.exit(1 if done else 2)


def _work_through(
    paths: Sequence[str], detector: Detector, journal: DetectionJournal
) -> tuple[list[tuple[str, str]], bool]:
    """Put what is found in each video that has no answer yet into the journal; which could not be read, and whether
    Ctrl-C came."""
    todo = [path for path in paths if path not in journal]
    if len(todo) < len(paths):
        known = counted(len(paths) - len(todo), "video")
        print(f"{COMMAND}: {known} of {len(paths)} answered before, see {journal.path}", file=sys.stderr)
    skipped: list[tuple[str, str]] = []
    console = Console(stderr=True)
    quiet = len(todo) < 2 or not console.is_terminal
    try:
        for path in track(todo, "Detecting", console=console, transient=True, disable=quiet):
            try:
                journal.add(detector(path))
            except VideoDecodeError as error:
                skipped.append((path, error.reason))
    except KeyboardInterrupt:
        return skipped, True
    return skipped, False


def _whole_files(options: Namespace) -> Manifest:
    """The listed videos.

    Raises:
        ManifestError: the list cannot be used.
        Mistake: a row is of a part of a file, or of a folder of pictures.
    """
    refuse_shards(options.videos)
    manifest = read_manifest(options.videos, options.root)
    for video in manifest.videos:
        if video.segment != WHOLE_FILE or video.folder_fps is not None:
            what = "a part of a file" if video.folder_fps is None else "a folder of pictures"
            raise Mistake(f"{options.videos}: {video.path} is {what}; a detector looks through whole video files")
    return manifest


def _parser() -> Parser:
    parser = Parser(
        COMMAND,
        description="Who does what, where, in a list of videos: what a detector finds in each. Answers are kept while "
        "they come, in OUT.journal; after an interrupt the same words go on from there, and what could not be read "
        "is tried again. (Other tasks: vidattn predict --config RUN/config.yaml --data.predict LIST.)",
        epilog="status: 0 all answered, 1 some video could not be read or the file not be written, "
        "2 nothing could be done, 130 interrupted, 143 terminated",
    )
    add = parser.add_argument
    add("videos", metavar="LIST", help="a list of videos as for training, a folder of videos, or a video")
    add("--weights", required=True, metavar="RUN", help="a run of vidattn.ActionDetector, or a checkpoint of one")
    add("--out", required=True, type=Path, metavar="FILE", help=".csv: a line for each box; .json: tubes and boxes")
    add("--root", help="folder that the list's paths start from; its own by default")
    add("--least", type=float, default=0.3, help="score from which something counts; 0.3 by default")
    add("--device", help="cuda or cpu; cuda where there is one by default")
    add("--batch-size", type=int, default=8, help="clips that go through the network together; 8 by default")
    return parser
