"""`vidattn probe`: what a frozen network knows of one's own videos."""

import csv
import os
import time
from argparse import ArgumentDefaultsHelpFormatter, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from vidattn.checks import check_positive
from vidattn.commands.kept_features import (
    TOKENS,
    VECTORS,
    Reading,
    add_feature_options,
    backbone,
    check_feature_options,
    kept_features,
    loaded,
    of_levels,
)
from vidattn.commands.options import Parser
from vidattn.commands.probe_report import Probed, write_report
from vidattn.commands.probed_network import save_probe
from vidattn.data.videos.manifest import Manifest, Video, read_manifest
from vidattn.data.videos.shards import refuse_shards
from vidattn.mistakes import Mistake
from vidattn.probing.attentive import AttentiveProbes
from vidattn.probing.curve import Point, learning_curve
from vidattn.probing.joined import joined
from vidattn.probing.linear import LinearProbes, Setting
from vidattn.probing.neighbours import Neighbours
from vidattn.probing.protocol import Kind, evaluate
from vidattn.probing.rows import LabelledRows
from vidattn.probing.store import FeatureStore
from vidattn.wording import counted
from vidattn.writable import check_place


def probe(words: list[str]) -> None:
    """`vidattn probe`, with the words behind it."""
    options = _parser().parse_args(words)
    check_feature_options(options)
    check_positive(threads=options.threads)
    grid = [Setting(lr, decay) for lr in options.lr for decay in options.weight_decay]
    kinds: dict[str, Kind] = {
        "linear": LinearProbes(grid, options.epochs),
        "neighbours": Neighbours(),
        "attentive": AttentiveProbes(grid, options.attentive_epochs),
    }
    if options.join_clips and options.num_crops > 1:
        raise Mistake(
            f"--join-clips joins the clips of one crop, and --num-crops is {options.num_crops}; set it to 1, or leave "
            "--join-clips out"
        )
    if options.val is None and options.sources is None:
        raise Mistake(
            "the setting of a probe is chosen on videos that are not the test's: give --val LIST, or where there are "
            "too few for that --sources FILE (a CSV of path,source), and it is chosen by cross-validation"
        )
    if options.val is not None and options.sources is not None:
        raise Mistake("--val and --sources are two ways to choose a setting; give one of them")
    out = Path(options.out)
    check_place(out, folder=True)
    check_place(Path(options.store), folder=True)
    lists = _lists(options)
    sources = None if options.sources is None else sources_of(Path(options.sources), lists["train"].videos)
    model, preparation = loaded(options, "vidattn probe")
    vectors, tokens = of_levels(backbone(model), options.levels) if options.levels else (VECTORS, TOKENS)
    probed: list[Probed] = []
    skipped: dict[str, str] = {}
    every = [video for manifest in lists.values() for video in manifest.videos]
    stores: dict[Reading, FeatureStore] = {}
    for name in options.kind:
        reading = tokens if name == "attentive" else vectors
        if reading not in stores:
            stores[reading], unread = kept_features(model, preparation, options, every, reading)
            skipped |= dict(unread)
        store = stores[reading]
        kept = {split: _readable(manifest, split, store) for split, manifest in lists.items()}
        rows = {split: _rows(lists[split], places, store) for split, places in kept.items()}
        if options.join_clips:
            rows = {split: joined(of_split, options.num_clips) for split, of_split in rows.items()}
        choice = rows["val"] if sources is None else [sources[place] for place in kept["train"]]
        probed.append(_probed(name, kinds[name], rows, choice, lists["train"].class_names, options))
    tested = [lists["test"].videos[place] for place in kept["test"]]
    write_report(out, probed, lists["train"].class_names, tested, sources is None, list(skipped.items()))
    if options.levels or options.join_clips:
        over = "several levels" if options.levels else "all clips of a video at once"
        print(f"no network is saved: one with a probe over {over} could not be run by vidattn classify")
        return
    for one in probed:
        save_probe(model, one, lists["train"].class_names, out)


def _readable(manifest: Manifest, split: str, store: FeatureStore) -> list[int]:
    """The places of the videos that the store has.

    Raises:
        ValueError: it has none.
    """
    places = [place for place, video in enumerate(manifest.videos) if video in store]
    if not places:
        raise Mistake(f"--{split}: none of its {counted(len(manifest.videos), 'video')} could be read")
    return places


def _rows(manifest: Manifest, places: Sequence[int], store: FeatureStore) -> LabelledRows:
    videos = [manifest.videos[place] for place in places]
    return LabelledRows([store.rows(video) for video in videos], torch.tensor([video.label for video in videos]))


def _probed(
    name: str,
    kind: Kind,
    rows: Mapping[str, LabelledRows],
    choice: LabelledRows | Sequence[str],
    class_names: Sequence[str],
    options: Namespace,
) -> Probed:
    """One kind of probe: its answers, its learning curve, and how long it took."""
    count, before = len(class_names), torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        began = time.perf_counter()
        outcome = evaluate(kind, rows["train"], choice, rows["test"], count, options.seed)
        seconds = time.perf_counter() - began
        curve: list[Point] = []
        if isinstance(choice, LabelledRows) and options.draws and name != "attentive":
            curve = learning_curve(
                kind, rows["train"], choice, rows["test"], count, draws=options.draws, seed=options.seed
            )
            curve.append(Point(None, 0, len(rows["train"]), outcome.top1))
    finally:
        torch.set_num_threads(before)
    return Probed(name, kind, outcome, curve, seconds)


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
    add(
        "--kind",
        nargs="+",
        choices=["linear", "neighbours", "attentive"],
        default=["linear", "neighbours"],
        help="kinds of probe",
    )
    add(
        "--levels",
        type=int,
        nargs="+",
        metavar="BLOCK",
        help="blocks whose features the probes read, joined, counted from 1; what leaves the last by default",
    )
    add(
        "--join-clips",
        action="store_true",
        help="probes see all clips of a video at once: tokens one behind another, vectors as their mean",
    )
    add("--lr", type=float, nargs="+", default=[5e-3, 3e-3, 1e-3, 3e-4, 1e-4], help="of linear probes: the grid's rows")
    add("--weight-decay", type=float, nargs="+", default=[0.01, 0.1, 0.4, 0.8], help="likewise its columns")
    add("--epochs", type=int, default=50, help="of the linear probes")
    add(
        "--attentive-epochs", type=int, default=20, help="of attentive probes, each of which costs as much as the first"
    )
    add("--threads", type=int, default=1, help="CPU threads of the probes; one is fastest for probes this small")
    add("--draws", type=int, default=5, help="of 1, 2, 4, 8 videos a class for the learning curve; 0 leaves it out")
    add("--seed", type=int, default=0, help="of training and draws")
    return parser
