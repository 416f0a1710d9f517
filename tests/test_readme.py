"""The README is short, what it and the pages beside the notebooks name is there, and its Python runs."""

import importlib
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

import vidattn
from vidattn.cli import COMMANDS
from vidattn.data import StrideSampling, write_mp4
from vidattn.flops import count
from vidattn.preprocessing import Preprocessing, SamplingRule

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "notebooks").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCK.findall(README.read_text()) if language == "python"]
ASK, COST, TRAIN, ATTENTION, PARTS = range(5)

pages = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def written(page):
    """What a page says in code: its blocks, and what stands between backticks."""
    text = page.read_text()
    return [code for _, code in BLOCK.findall(text)] + re.findall(r"`([^`]+)`", BLOCK.sub("", text))


def test_it_is_read_on_one_screen_and_opens_with_two_commands():
    assert len(README.read_text().split()) <= 800
    assert BLOCK.search(README.read_text())[2].splitlines() == [
        "python -m pip install -e . && vidattn fit --config configs/motion_divided.yaml",
        'python -m pip install -e ".[test]" && python -m pytest -n 2',
    ]


def headings_of(page):
    """As links name them."""
    return [line.lstrip("# ").lower().replace(" ", "-") for line in page.read_text().splitlines() if line[:1] == "#"]


@pages
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, heading = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not heading or heading in headings_of(there), target


@pages
def test_files_that_are_named_exist(page):
    for code in written(page):
        for path in re.findall(
            r"(?<![\w/.])(?:configs|tests|notebooks|vidattn|attention|data|models|training)/[\w./]*", code
        ):
            assert (ROOT / path).exists() or (ROOT / "vidattn" / path).exists(), path


@pages
def test_names_that_are_given_can_be_imported(page):
    for code in written(page) if page.name != "CHANGELOG.md" else ():  # which names what is gone, too
        for path in re.findall(r"(?<![\w./-])vidattn(?:\.[A-Za-z_]\w*)+", code):
            found = vidattn
            for end, name in enumerate(path.split(".")[1:], 2):
                if hasattr(found, name):
                    found = getattr(found, name)
                else:
                    found = importlib.import_module(".".join(path.split(".")[:end]))


@pages
def test_commands_that_are_named_are_ours(page):
    for code in written(page):
        for command in re.findall(r"(?:^|&& |PYTHONPATH=\. )vidattn ([a-z][\w-]*)", code, re.MULTILINE):
            assert command in COMMANDS, command


def test_pictures_are_small():
    for page in PAGES:
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text()):
            most = 1_000_000 if picture.endswith(".gif") else 300_000
            assert (page.parent / picture).stat().st_size < most, picture


def network(attention="divided", **changes):
    """A configuration in which everything is small but the clips."""
    return vidattn.VideoTransformerConfig(
        attention, patch_size=112, embed_dim=8, depth=1, num_heads=1, pooling="mean", **changes
    )


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the clip and the videos that the README's Python speaks of."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    files = [
        f"my_videos/{split}/class{label}/{n}.mp4" for split in ("train", "val") for label in range(5) for n in (0, 1)
    ]
    for path in map(Path, [*files, "clip.mp4"]):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mp4(path, random.integers(0, 255, (8, 32, 32, 3), np.uint8), 4)
    return tmp_path


def test_python_answers_about_a_clip(place, capsys):
    sampling = SamplingRule("vidattn.data.StrideSampling", vars(StrideSampling(8, 1)))
    config = network(num_classes=2)
    preprocessing = Preprocessing(sampling, 224, (0.45,) * 3, (0.225,) * 3)
    vidattn.Pretrained(vidattn.build_network(config), ["one", "another"], preprocessing).save_pretrained("RUN")

    exec(PYTHON[ASK], {})

    assert "another" in capsys.readouterr().out
    assert Path("why.gif").read_bytes().startswith(b"GIF89a")


def test_python_tells_the_cost_that_is_written_beside_it(capsys):
    with torch.device("meta"):
        exec(PYTHON[COST], {})
    assert f"{int(capsys.readouterr().out):,}" in PYTHON[COST]


def test_python_trains_in_twelve_lines(place, monkeypatch, capsys):
    assert len(PYTHON[TRAIN].strip().splitlines()) <= 12
    monkeypatch.setattr(vidattn, "preset", lambda name, **changes: network(**changes))
    code = PYTHON[TRAIN].replace("max_epochs=10", "max_epochs=1, accelerator='cpu', enable_progress_bar=False")
    exec(code.replace("batch_size=8", "batch_size=8, num_workers=0, decode_timeout=None"), {})
    assert "class" in capsys.readouterr().out
    assert vidattn.load("my_model.ckpt").class_names == [f"class{label}" for label in range(5)]


def test_python_of_ones_own_works_by_its_import_path(monkeypatch):
    module = types.ModuleType("my_package")
    monkeypatch.setitem(sys.modules, "my_package", module)
    exec(PYTHON[ATTENTION] + PYTHON[PARTS], vars(module))
    config = network("time+my_package.FrameMean", num_classes=2)
    assert count(config).macs > count(network("time", num_classes=2)).macs  # counted twice, or refused

    task = module.Direction(vidattn.VideoTransformerConfig("joint", num_classes=2, image_size=32, embed_dim=8, depth=1,
                                                           num_heads=1, pooling="my_package.MaxPooling"))  # fmt: skip
    loss = task.training_step({"video": torch.zeros(2, 3, 8, 32, 32, dtype=torch.uint8)}, 0)
    loss.backward()
    assert loss.isfinite()
