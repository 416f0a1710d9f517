"""Every picture of the README and the pages, from sets that vidattn draws itself: python notebooks/pictures.py

About two minutes on one quiet core, most of it the training of the small network whose attention `where.gif` shows. A
name (`where`, `frames`, `reach`, `study`, `image_blocks`) draws that picture alone.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import cross_entropy

from vidattn import Classifier, Grid, VideoTransformerConfig, build_network
from vidattn.attention.reach import step_reach
from vidattn.bench.image import Cell, cells_figure
from vidattn.classify import Preparation
from vidattn.cli import main
from vidattn.commands.study_report import study_figure
from vidattn.data import MotionSet, StrideSampling, write_mp4
from vidattn.plots.reach import plot_steps

HERE = Path(__file__).parent
SCHEMES = {
    "joint": "joint",
    "space": "space",
    "time+space": "time+space = divided",
    "local+global": "local+global",
    "time+width+height": "time+width+height = axial",
    "space|time": "space|time",
    "window(2,3,3)": "window(2,3,3)",
    "neighborhood(3,3,3)": "neighborhood(3,3,3)",
}


def where() -> None:
    """A clip and what counted in it for the answer; the spot moves, ring and hand rest."""
    motion = MotionSet("not written", size=64)
    classifier = trained(motion, motion.class_names[:4])  # the four directions that the spot moves in
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_mp4(clip, motion.draw(3, np.random.default_rng((5, 3, 2))), motion.fps)  # the spot comes by all alone
        why = classifier.explain(clip)
    print(why)
    why.save(HERE / "where.gif")


def trained(motion: MotionSet, names: list[str], steps: int = 1000) -> Classifier:
    """A small network with divided attention, taught until it tells these motions apart; its weights are kept in
    `outputs`, and used the next time."""
    torch.manual_seed(0)
    config = VideoTransformerConfig(
        "divided",
        num_classes=len(names),
        image_size=motion.size,
        patch_size=8,
        embed_dim=64,
        depth=2,
        num_heads=4,
        init_std=0.25,
    )
    preparation = Preparation(StrideSampling(8, 1), motion.size, (0.45,) * 3, (0.225,) * 3)
    classifier = Classifier(build_network(config), names, preparation)
    kept = Path("outputs/pictures.pth")
    if kept.exists():
        classifier.network.load_state_dict(torch.load(kept))
        return classifier
    network, loss_of_late = classifier.network.train(), 1.4
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.05)
    for step in range(steps):
        labels = [int(label) for label in torch.randint(0, len(names), (16,))]
        drawn = [motion.draw(label, np.random.default_rng((1, step, i))) for i, label in enumerate(labels)]
        clips = torch.from_numpy(np.stack(drawn)).permute(0, 4, 1, 2, 3)
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, step / 30)
        loss = cross_entropy(network(classifier.normalize(clips)), torch.tensor(labels))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        loss_of_late = 0.95 * loss_of_late + 0.05 * loss.item()
        if step % 50 == 0:
            print(f"step {step}, loss {loss_of_late:.2f}", flush=True)
        if loss_of_late < 0.05:
            break
    kept.parent.mkdir(exist_ok=True)
    torch.save(network.eval().state_dict(), kept)
    return classifier


def frames() -> None:
    """What divided attention costs beside joint as clips grow longer: one of the figures of `vidattn compare`."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["joint", "divided", "--frames", "2,4,8,16,32,64", "--size", "224,448", "--out", folder]
        main(["compare", *words])
        (Path(folder) / "frames.png").replace(HERE / "frames.png")


def reach() -> None:
    """What one token sees in each step of the schemes, in four frames of 6 x 6 tokens."""
    token = (1, 2, 3)
    seen = {
        title: [np.asarray(one) for one in step_reach(spec, Grid(4, 6, 6), token)] for spec, title in SCHEMES.items()
    }
    plot_steps(seen, token).savefig(HERE / "reach.png", dpi=100)


def study() -> None:
    """The figure of study.md, from the runs beside it."""
    with open(HERE / "study_runs.csv", newline="") as file:
        numbers = ("seed", "classes", "macs_per_clip", "parameters", "videos_evaluated")
        rows = [row | {key: int(row[key]) for key in numbers} for row in csv.DictReader(file)]
    figure = study_figure([row | {"video_top1": float(row["video_top1"])} for row in rows])
    figure.savefig(HERE / "study.png", dpi=110)


def image_blocks() -> None:
    """The figure of image_blocks.md, from its tables."""
    told = (HERE / "image_blocks.md").read_text()
    macs, times, memory = (table(told, title) for title in ("GMACs of", "ms of", "Peak MiB of"))
    cells = [
        Cell(*place, round(1e9 * gmacs), *times.get(place, (None, None)), *memory.get(place, (None, None)), "")
        for place, (gmacs,) in macs.items()
    ]
    title = next(line for line in told.splitlines() if line.startswith("Image blocks,"))
    file = HERE / "image_blocks.png"
    cells_figure(cells, title).savefig(file, dpi=110)
    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(128)  # a quarter of the bytes
    few.save(file, optimize=True)


def table(text: str, title: str) -> dict[tuple[str, int], list[float]]:
    """The numbers of a table below a line that begins so, by block and side of the map; cells without are left out."""
    rows = text.split(f"\n{title}")[1].split("\n\n")[1].splitlines()
    (_, *sides), _, *blocks = ([cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows)
    return {
        (block, int(side.partition("x")[0])): [float(number) for number in cell.split("/")]
        for block, *cells in blocks
        for side, cell in zip(sides, cells, strict=True)
        if cell and not cell.startswith("not run")
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    drawings = {draw.__name__: draw for draw in (where, frames, reach, study, image_blocks)}
    for name in sys.argv[1:] or drawings:
        drawings[name]()
