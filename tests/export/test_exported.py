"""One checkpoint, exported once to each kind of file; what classifies with those, with torch and without."""

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from foreseen import CONFIG, write_checkpoint

import vidattn
from vidattn.calibration.calibration import Calibration, Threshold
from vidattn.checkpoints.amending import amend
from vidattn.checkpoints.renaming import WeightsError
from vidattn.classify.classifier import Classifier
from vidattn.classify.feature_extractor import FeatureExtractor
from vidattn.cli import main
from vidattn.export.exported import read_exported
from vidattn.mistakes import Mistake

PAGE = Path(__file__).parents[2] / "notebooks" / "export.md"
KINDS = ("pt2", "onnx")
CALIBRATION = Calibration(2.5, threshold=Threshold(0.6, 0.05, 20))
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of one block, `best.ckpt`, whose answers were calibrated."""
    folder = tmp_path_factory.mktemp("exported")
    write_checkpoint(folder / "best.ckpt", replace(CONFIG, depth=1))
    amend([folder / "best.ckpt"], CALIBRATION)
    return folder


@pytest.fixture(scope="module")
def exported(folder):
    """What writes it as a file of a kind, once."""
    made: dict[str, Path] = {}

    def file(kind: str) -> Path:
        if kind == "onnx":
            for library in ("onnx", "onnxscript", "onnxruntime"):
                pytest.importorskip(library)
        if kind not in made:
            made[kind] = folder / f"model.{kind}"
            main(["export", str(folder / "best.ckpt"), str(made[kind])])
        return made[kind]

    return file


@kinds
def test_it_answers_as_the_checkpoint_does(kind, exported, folder, tiny_video):
    wanted = Classifier.from_pretrained(folder / "best.ckpt", device="cpu")
    found = Classifier.from_pretrained(exported(kind), device="cpu", batch_size=3)

    assert found.class_names == wanted.class_names
    assert found.preparation.sampling == wanted.preparation.sampling
    assert found.notes == wanted.notes
    clips = torch.randint(256, (4, 3, 4, 32, 32), dtype=torch.uint8)
    torch.testing.assert_close(found.probabilities(clips), wanted.probabilities(clips), rtol=0, atol=1e-5)
    one, other = found(tiny_video), wanted(tiny_video)
    np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=0, atol=1e-5)
    assert found.calibration == Calibration(threshold=CALIBRATION.threshold)
    assert one.notes == other.notes


@kinds
def test_the_command_line_classifies_with_it(kind, exported, tiny_video, capsys):
    main(["classify", str(tiny_video), "--weights", str(exported(kind))])
    assert "jump & land" in capsys.readouterr().out


@kinds
def test_what_it_cannot_do_is_refused_before_work_starts(kind, exported):
    file = exported(kind)
    with pytest.raises(Mistake, match=r"its graph is in float32; leave precision=bfloat16 out"):
        Classifier.from_pretrained(file, device="cpu", precision="bf16")
    with pytest.raises(Mistake, match=r"exported for clips of 4 frames of 32x32; .* --dynamic size"):
        Classifier.from_pretrained(file, device="cpu", image_size=64)
    with pytest.raises(Mistake, match="ExportedNetwork has no features to read"):
        FeatureExtractor.from_pretrained(file, device="cpu")
    with pytest.raises(TypeError, match="ExportedNetwork"):
        Classifier.from_pretrained(file, device="cpu").explain(np.zeros((4, 32, 32, 3), np.uint8))
    with pytest.raises(WeightsError, match="whose weights are not read back; vidattn classify VIDEO --weights FILE"):
        vidattn.load(file)


def test_a_program_without_our_entry_is_somebody_elses(exported, tmp_path):
    stripped = tmp_path / "stripped.pt2"
    with zipfile.ZipFile(exported("pt2")) as whole, zipfile.ZipFile(stripped, "w") as part:
        for name in whole.namelist():
            if "vidattn.json" not in name:
                part.writestr(name, whole.read(name))
    with pytest.raises(Mistake, match="says nothing of class names, sampling and size under 'vidattn'"):
        read_exported(stripped)


def test_a_graph_without_our_entry_is_somebody_elses(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Abs", ["x"], ["y"])], "g", ports[:1], ports[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, tmp_path / "theirs.onnx")
    with pytest.raises(Mistake, match=r"theirs.onnx: says nothing .* somebody else's file"):
        read_exported(tmp_path / "theirs.onnx")


@kinds
def test_no_file_and_a_damaged_one_are_told(kind, tmp_path):
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
    file = tmp_path / f"broken.{kind}"
    with pytest.raises(Mistake, match="no such file"):
        read_exported(file)
    file.write_bytes(b"no graph")
    with pytest.raises(Mistake, match=f"broken.{kind}: .* copy it again"):
        read_exported(file)


BLOCK_TORCH = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "vidattn", "PIL", "cv2"):
            raise ImportError(f"{name} is not to be imported here")
sys.meta_path.insert(0, Blocker())
"""


def test_the_pages_lines_answer_without_torch_as_the_checkpoint_does(exported, folder, tiny_video, tmp_path):
    """Frames of 64 x 48 become 42 x 32: what resizing rounds to another level is in the difference."""
    file = exported("onnx")
    code = re.search(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 34
    shutil.copy(file, tmp_path / "model.onnx")
    shutil.copy(tiny_video, tmp_path / "clip.mp4")
    tell = "\nnp.savez('told.npz', clip=clip, probabilities=probabilities[0])\n"

    (tmp_path / "alone.py").write_text(BLOCK_TORCH + code + tell)
    subprocess.run([sys.executable, "alone.py"], cwd=tmp_path, check=True, capture_output=True, text=True)

    told = np.load(tmp_path / "told.npz")
    wanted = Classifier.from_pretrained(folder / "best.ckpt", device="cpu")
    pixels = wanted.views(tiny_video).video[0].numpy().astype(int)
    assert np.abs(told["clip"].astype(int) - pixels).max() <= 1
    np.testing.assert_allclose(told["probabilities"], wanted(tiny_video).probabilities, rtol=0, atol=5e-3)
