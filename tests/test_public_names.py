"""Every room hands on its public names, and `import vidattn` is light."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import vidattn

ROOT = Path(__file__).parents[1]
ROOMS = [
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in sorted((ROOT / "vidattn").rglob("__init__.py"))
    if "hand_on(" in path.read_text()
]


def told_to_editors(room):
    """name -> the module that it is imported from for type checkers."""
    tree = ast.parse(Path(importlib.import_module(room).__file__).read_text())
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module.startswith("vidattn")
    ]
    return {name.asname: node.module for node in imports for name in node.names if name.asname}


def test_the_names_at_the_top_are_these():
    assert vidattn.__all__ == [
        "ActionDetector", "Classifier", "Detector", "Distillation", "Grid", "HierarchicalConfig", "ImageAttention",
        "Macs",
        "MaskedAutoencoder", "MomentumContrast",
        "PRESETS", "Pretrained", "SimMIM", "VideoAttention", "VideoClassifier", "VideoDataModule", "VideoModule",
        "VideoTransformer", "VideoTransformerConfig", "build_network", "compare",
        "crossovers", "lean", "list_attentions", "list_presets", "load", "open_video", "preset",
    ]  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_hands_on_what_its_modules_define_and_editors_are_told_the_same(room):
    package = importlib.import_module(room)
    homes = told_to_editors(room)
    assert sorted(homes) == package.__all__
    for name, home in homes.items():
        assert getattr(package, name) is getattr(importlib.import_module(home), name)
        assert name in dir(package)


@pytest.mark.parametrize("room", ROOMS)
def test_no_public_name_is_the_name_of_a_module_beside_it(room):
    package = importlib.import_module(room)
    beside = {path.stem for path in Path(package.__file__).parent.iterdir()}
    assert not beside & set(package.__all__)


def test_importing_the_rooms_and_the_commands_needs_no_torch():
    lines = f"import sys, vidattn.cli, {', '.join(ROOMS)}; "
    lines += "print([m for m in ('torch', 'torchvision', 'av', 'jsonargparse') if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True, cwd=ROOT).stdout

    assert output.strip() == "[]"


def test_a_name_that_is_not_public_is_an_attribute_error_that_lists_those_that_are():
    with pytest.raises(
        AttributeError, match=r"no attribute 'load_model'; public names: ActionDetector, .*PRESETS, .*preset"
    ):
        _ = vidattn.load_model
