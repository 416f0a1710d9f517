"""What a detector costs, as `vidattn flops` and `vidattn compare` print it; both parts as torch's counter measures."""

import json

import torch
from torch.utils.flop_counter import FlopCounterMode

from vidattn.cli import main
from vidattn.commands.detecting_cost import detecting_rows
from vidattn.commands.task_on_meta import task_on_meta
from vidattn.training.detector import ActionDetector

MODEL = """model:
  class_path: vidattn.ActionDetector
  init_args:
    network: {attention: divided, num_frames: 4, image_size: 32, patch_size: 8, embed_dim: 32, depth: 1, num_heads: 2}
    queries: {num_queries: 5, embed_dim: 16, depth: 2, num_heads: 2}
"""


def test_network_and_decoder_are_counted_and_are_what_is_measured(tmp_path, capsys):
    (tmp_path / "d.yaml").write_text(MODEL)
    main(["flops", str(tmp_path / "d.yaml"), "--json", str(tmp_path / "cost.json")])
    rows = {row["row"]: row for row in json.loads((tmp_path / "cost.json").read_text())}
    task = task_on_meta(str(tmp_path / "d.yaml"), ActionDetector)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        task(torch.empty(1, 3, 4, 32, 32, dtype=torch.uint8))
    measured = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    assert rows["detection: decoder"]["flops"] == measured["ActionDetector.decoder"]
    assert rows["detection: clip"]["flops"] == measured["ActionDetector"]
    assert rows["detection: decoder"]["parameters"] == sum(one.numel() for one in task.decoder.parameters())
    assert "A detector, forward, a clip of 4 x 32 x 32" in capsys.readouterr().out


def test_compare_says_what_the_decoder_adds_to_any_scheme(tmp_path, capsys):
    (tmp_path / "d.yaml").write_text(MODEL)
    main(["compare", "joint", "divided", "--config", str(tmp_path / "d.yaml")])
    decoder = detecting_rows(str(tmp_path / "d.yaml"), 4, 32, 32)[1]
    said = " ".join(capsys.readouterr().out.split())
    assert f"decoder adds {decoder['macs'] / 1e9:,.3f} GMACs on clips of 4 x 32 x 32" in said


def test_other_tasks_and_presets_have_no_such_row():
    assert detecting_rows("configs/k400_divided.yaml", 8, 224, 224) == []
    assert detecting_rows("timesformer", 8, 224, 224) == []


def test_fifteen_queries_cost_a_fiftieth_of_a_vit_b(tmp_path):
    (tmp_path / "b.yaml").write_text("model: {class_path: vidattn.ActionDetector, init_args: {network: {}}}\n")
    _, decoder, _ = detecting_rows(str(tmp_path / "b.yaml"), 8, 224, 224)
    assert 0.001 < decoder["share"] < 0.02
