"""`vidattn calibrate`: how far a network's probabilities are to be believed, measured on validation clips."""

import copy
from argparse import ArgumentDefaultsHelpFormatter, Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidattn.calibration.calibration import Calibration
from vidattn.calibration.fitting import Fitted
from vidattn.calibration.fitting_means import fit_means
from vidattn.calibration.measuring import FOLDS, held_out, quality
from vidattn.calibration.probabilities import Probabilities
from vidattn.calibration.threshold import choose_threshold
from vidattn.checkpoints.amending import amend, own_files
from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.classify.classifier import Classifier
from vidattn.classify.video_logits import VideoLogits
from vidattn.commands.calibrate_report import Outcome, Rejected, write_report
from vidattn.commands.options import Parser
from vidattn.commands.video_options import add_network_options, video_arguments
from vidattn.data.lists.class_names import ClassNames
from vidattn.data.videos.manifest import Manifest, read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.export.exported import is_exported
from vidattn.mistakes import Mistake
from vidattn.writable import check_place


def calibrate(words: list[str]) -> None:
    """`vidattn calibrate`, with the words behind it."""
    options = _parser().parse_args(words)
    if options.other is None and options.false_alarms is not None:
        raise Mistake("--false-alarms is a share of clips of other classes; give them too: --other LIST")
    if options.false_alarms is not None and not 0 < options.false_alarms < 1:
        raise Mistake(f"--false-alarms {options.false_alarms}: wanted a share above 0 and below 1, such as 0.05")
    files = [] if options.out else own_files(options.source)
    folder = Path(options.out) if options.out else _folder(files[0])
    if options.out and (folder / "config.json").exists() and not options.overwrite:
        raise Mistake(f"{folder} holds a model already; name another folder, or add --overwrite")
    check_place(folder, folder=True, size=2 * sum(file.stat().st_size for file in files) + (1 << 20))
    model = _loaded(options)
    # Not the very network where its weights are cast: those are written yet.
    shown = model if options.precision == "fp32" else copy.deepcopy(model)
    classifier = Classifier.from_pretrained(shown, class_names=options.class_names, **video_arguments(options))
    others = None if options.other is None else _others(options, classifier)
    manifest = _labelled(options, classifier)
    read = VideoLogits.of(classifier, manifest.videos, "Reading validation videos")
    if not read.videos:
        raise Mistake(f"--val {options.val}: none of its videos could be read; vidattn check {options.val} tells why")
    fitted, outcome = _measured(read, classifier)
    skipped = [*((path, "no such file") for path in manifest.missing_paths), *read.skipped]
    if others is not None:
        strange = VideoLogits.of(classifier, others.videos, "Reading videos of other classes")
        skipped += strange.skipped
        fitted, rejected = _rejecting(fitted, read, strange, classifier, options.false_alarms or 0.05)
        outcome = replace(outcome, calibration=fitted.calibration, rejected=rejected)
    if absent := _absent(manifest):
        outcome.notes.append(absent)
    if options.out:
        model.calibration = fitted.calibration
        model.save_pretrained(folder)
    else:
        amend(files, fitted.calibration)
    write_report(folder, outcome, skipped, [str(file) for file in files] or [str(folder)])


def _loaded(options: Namespace) -> Pretrained:
    """
    Raises:
        WeightsError: the source cannot be read.
        Mistake: it is an exported file, whose graph has its temperature in it.
    """
    if is_exported(options.source):
        raise Mistake(
            f"{options.source}: an exported file, with its temperature in the graph; calibrate the checkpoint that it "
            "was made of, and export that anew"
        )
    return load(options.source)


def _folder(file: Path) -> Path:
    """Where the report of a checkpoint goes: a run's folder, else that of the file."""
    return file.parent.parent if file.match("checkpoints/*.ckpt") else file.parent


def _labelled(options: Namespace, classifier: Classifier) -> Manifest:
    """The validation videos, their labels counted as the network does.

    Raises:
        ValueError: they have no labels, or of another kind; or a class that the network has not.
    """
    refuse_shards(options.val)
    manifest = read_manifest(options.val, options.root, classifier.class_names, multi_label=classifier.multi_label)
    if manifest.multi_label and not classifier.multi_label:
        raise Mistake(f"--val {options.val}: names several classes of a video, and the network chooses one of its own")
    if not manifest.labelled:
        raise Mistake(f"--val {options.val}: names no classes; wanted those of each video, to compare answers with")
    return replace(manifest, videos=[one for one in manifest.videos if one.labels or one.label is not None])


def _others(options: Namespace, classifier: Classifier) -> Manifest:
    """Videos that are of none of the network's classes.

    Raises:
        ValueError: one of their classes is the network's.
    """
    refuse_shards(options.other)
    manifest = read_manifest(options.other, options.root)
    known = ClassNames(classifier.class_names, numbered=False)
    if shared := [name for name in manifest.class_names if known.find(name) is not None]:
        raise Mistake(
            f"--other {options.other}: {shared[0]!r} is a class of the network; wanted videos that are of none of its "
            f"classes, so leave those of {', '.join(shared[:5])} out"
        )
    return manifest


def _measured(read: VideoLogits, classifier: Classifier) -> tuple[Fitted, Outcome]:
    """The fit, and how good answers are without it and with it."""
    targets = read.targets(len(classifier.class_names) if classifier.multi_label else None)
    seen = classifier.preparation.num_clips * classifier.preparation.num_crops
    fitted = fit_means(read.views, targets)
    fitted = fitted._replace(calibration=replace(fitted.calibration, views=seen))

    def answers(calibration: Calibration) -> np.ndarray:
        return read.answers(Probabilities(classifier.multi_label, calibration))

    def fit_without(mine: np.ndarray) -> Calibration:
        rest = [views for views, left_out in zip(read.views, mine, strict=True) if not left_out]
        return fit_means(rest, targets[~mine]).calibration

    count = len(read.videos)
    apart = count >= 2 * FOLDS
    after = held_out(answers, fit_without, count) if apart else answers(fitted.calibration)
    notes = list(fitted.notes)
    if not apart:
        notes.append("after: on the very videos of the fit, as there are too few to leave some out")
    before, calibrated = quality(answers(Calibration()), targets), quality(after, targets)
    if calibrated.loss >= before.loss:
        notes.append("left-out videos are answered no better with it: there are too few, or none is needed")
    return fitted, Outcome(fitted.calibration, fitted.error, count, before, calibrated, None, notes)


def _rejecting(
    fitted: Fitted, read: VideoLogits, strange: VideoLogits, classifier: Classifier, rate: float
) -> tuple[Fitted, Rejected]:
    """The calibration with a threshold, and what it does."""
    if not strange.videos:
        raise Mistake("--other: none of its videos could be read; vidattn check LIST tells why")
    probabilities = Probabilities(classifier.multi_label, fitted.calibration)
    own, other = read.answers(probabilities).max(1), strange.answers(probabilities).max(1)
    threshold = choose_threshold(other, rate)
    return fitted._replace(calibration=replace(fitted.calibration, threshold=threshold)), Rejected(
        own, other, threshold
    )


def _absent(manifest: Manifest) -> str:
    """A note where classes have no video."""
    held = {label for one in manifest.videos for label in one.labels or (one.label,)}
    absent = [name for label, name in enumerate(manifest.class_names) if label not in held]
    if not absent:
        return ""
    shown = ", ".join(absent[:5]) + (", ..." if absent[5:] else "")
    return (
        f"no validation video of {len(absent)} of {len(manifest.class_names)} classes ({shown}): nothing tells of them"
    )


def _parser() -> Parser:
    parser = Parser(
        prog="vidattn calibrate",
        description="How far the probabilities of a network are to be believed: a temperature is fitted on validation "
        "videos (a bias too, where a video may have several classes) and kept with the weights, and vidattn classify "
        "and vidattn test answer by it. With videos of other classes also a threshold below which the answer is "
        "'none of these'.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("source", help="a run, a checkpoint or a folder of ours; with --out all that vidattn.load reads")
    add("--val", required=True, metavar="LIST", help="labelled videos that were not trained on: a list or a folder")
    add("--other", metavar="LIST", help="videos of none of the network's classes: a list or a folder")
    add(
        "--false-alarms",
        type=float,
        metavar="SHARE",
        help="of the videos of other classes that may get an answer all the same; 0.05 with --other",
    )
    add("--root", help="folder that the lists' paths start from; each list's own by default")
    add("--out", metavar="FOLDER", help="write a folder with the calibrated model in place of changing the source")
    add("--overwrite", action="store_true", help="also if that folder holds a model")
    add("--class-names", metavar="FILE", help="a name on each line, for a checkpoint that names no classes")
    add_network_options(parser)
    return parser
