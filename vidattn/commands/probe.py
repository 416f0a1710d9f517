"""`vidattn probe`: what a frozen network knows of one's own videos."""

import csv
import os
from argparse import ArgumentDefaultsHelpFormatter, Namespace
from collections.abc import Sequence
from pathlib import Path

import torch

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checks import check_positive
from vidattn.commands.kept_features import add_feature_options, backbone, check_feature_options, kept_features, loaded
from vidattn.commands.options import Parser
from vidattn.commands.probe_report import Probed, write_report
from vidattn.data.videos.manifest import Manifest, Video, read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.mistakes import Mistake
from vidattn.probing.curve import learning_curve
from vidattn.probing.linear import LinearProbes, Setting
from vidattn.probing.neighbours import Neighbours
from vidattn.probing.protocol import Kind, evaluate
from vidattn.probing.rows import LabelledRows
from vidattn.wording import counted
from vidattn.writable import check_place


def probe(words: list[str]) -> None:
    """`vidattn probe`, with the words behind it."""
    options = _parser().parse_args(words)
    check_feature_options(options)
    check_positive(threads=options.threads)
    grid = [Setting(lr, decay) for lr in options.lr for decay in options.weight_decay]
    kinds: dict[str, Kind] = {"linear": LinearProbes(grid, options.epochs), "neighbours": Neighbours()}
    if options.val is None and options.sources is None:
        raise Mistake(
            "the setting of a probe is chosen on videos that are not the test's: give --val LIST, or where there are "
            "too few for that --sources FILE (a CSV of path,source), and it is chosen by cross-validation"
        )
    out = Path(options.out)
    check_place(out, folder=True)
    check_place(Path(options.store), folder=True)
    lists = _lists(options)
    sources = None if options.sources is None else sources_of(Path(options.sources), lists["train"].videos)
    model, preparation = loaded(options, "vidattn probe")
    videos = [video for manifest in lists.values() for video in manifest.videos]
    store, skipped = kept_features(model, preparation, options, videos)
    rows, kept = {}, {}
    for split, manifest in lists.items():
        kept[split] = [place for place, video in enumerate(manifest.videos) if video in store]
        if not kept[split]:
            raise Mistake(f"--{split}: none of its {counted(len(manifest.videos), 'video')} could be read")
        videos = [manifest.videos[place] for place in kept[split]]
        labels = torch.tensor([video.label for video in videos])
        rows[split] = LabelledRows([store.rows(video) for video in videos], labels)
    classes = len(lists["train"].class_names)
    choice = rows["val"] if "val" in rows else [sources[place] for place in kept["train"]]  # type: ignore[index]
    torch.set_num_threads(options.threads)
    probed = []
    for name in options.kind:
        outcome = evaluate(kinds[name], rows["train"], choice, rows["test"], classes, options.seed)
        curve = []
        if "val" in rows and options.draws:
            curve = learning_curve(
                kinds[name], rows["train"], rows["val"], rows["test"], classes, draws=options.draws, seed=options.seed
            )
        probed.append(Probed(name, kinds[name], outcome, curve))
    tested = [lists["test"].videos[place] for place in kept["test"]]
    write_report(out, probed, lists["train"].class_names, tested, "val" in rows, skipped)
    for one in probed:
        if one.name == "linear":
            _save(model, one, lists["train"].class_names, out / "model")


def sources_of(file: Path, videos: Sequence[Video]) -> list[str]:
    """The source of each video, of a CSV `path,source` with paths from its own folder.

    Raises:
        ValueError: the file has other columns, or not all of the videos.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"{file}: cannot be read ({error}); wanted a CSV of path,source") from error
    if not rows or not {"path", "source"} <= rows[0].keys():
        raise Mistake(f"{file}: wanted a CSV whose first line is path,source")
    source = {os.path.abspath(file.parent / row["path"]): row["source"] for row in rows}
    if missing := [video.path for video in videos if os.path.abspath(video.path) not in source]:
        raise Mistake(f"{file}: has no line for {missing[0]} and {len(missing) - 1} more videos of --train")
    return [source[os.path.abspath(video.path)] for video in videos]


def _lists(options: Namespace) -> dict[str, Manifest]:
    """The lists that are given, with the classes of the first.

    Raises:
        ValueError: a list has no labels, or several a video.
    """
    lists: dict[str, Manifest] = {}
    for split in ("train", "val", "test"):
        if (path := getattr(options, split)) is None:
            continue
        refuse_shards(path)
        manifest = read_manifest(path, options.root, lists["train"].class_names if lists else None)
        if manifest.multi_label or any(video.label is None for video in manifest.videos):
            raise Mistake(f"--{split} {path}: wanted one class for each video, which a probe is to find")
        lists[split] = manifest
    return lists


def _save(model: Pretrained, probed: Probed, class_names: Sequence[str], folder: Path) -> None:
    """The network with the chosen probe as its head."""
    weight, bias = probed.outcome.fitted.layer(probed.outcome.chosen)
    network = backbone(model).to("cpu", torch.float32)
    network.reset_classifier(len(class_names))
    with torch.no_grad():
        network.head.weight.copy_(weight)
        network.head.bias.copy_(bias)
    report = [f"head: a linear probe ({probed.kind.settings[probed.outcome.chosen]}) on the frozen network"]
    Pretrained(network, class_names, model.preprocessing, report, model.source).save_pretrained(folder)
    print(f"wrote {folder}: the network with that linear probe as its head; vidattn classify VIDEO --weights {folder}")


def _parser() -> Parser:
    parser = Parser(
        prog="vidattn probe",
        description="What a frozen network knows of your videos: its features are computed once and kept, then a grid "
        "of linear probes and nearest neighbours answer by them. The setting is chosen on validation videos (or by "
        "cross-validation over sources), and the test is read once.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add_feature_options(parser)
    add("--train", required=True, metavar="LIST", help="labelled videos: a list or a folder of classes")
    add("--val", metavar="LIST", help="videos that the setting is chosen on")
    add("--test", required=True, metavar="LIST", help="videos that the accuracy is of")
    add("--sources", metavar="CSV", help="path,source of each training video, for cross-validation in place of --val")
    add("--root", help="folder that the lists' paths start from; each list's own by default")
    add("--out", required=True, metavar="FOLDER", help="where the report and the network with the probe go")
    add("--kind", nargs="+", choices=["linear", "neighbours"], default=["linear", "neighbours"], help="kinds of probe")
    add("--lr", type=float, nargs="+", default=[5e-3, 3e-3, 1e-3, 3e-4, 1e-4], help="of linear probes: the grid's rows")
    add("--weight-decay", type=float, nargs="+", default=[0.01, 0.1, 0.4, 0.8], help="likewise its columns")
    add("--epochs", type=int, default=50, help="of the linear probes")
    add("--threads", type=int, default=1, help="CPU threads of the probes; one is fastest for probes this small")
    add("--draws", type=int, default=5, help="of 1, 2, 4, 8 videos a class for the learning curve; 0 leaves it out")
    add("--seed", type=int, default=0, help="of training and draws")
    return parser
