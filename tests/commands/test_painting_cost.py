"""The price of a step of pre-training, as `vidattn flops` prints it."""

import json

from vidattn.cli import main
from vidattn.commands.painting_cost import painting_rows


def test_the_published_recipe_costs_a_tenth_in_the_encoder(capsys, tmp_path):
    main(["flops", "configs/k400_pretrain.yaml", "--json", str(tmp_path / "cost.json")])
    rows = {row["row"]: row for row in json.loads((tmp_path / "cost.json").read_text())}
    encoder = rows["pre-training: network, on 160 of 1568 tokens"]
    assert encoder["macs"] == 14_250_147_840
    assert encoder["share"] < 0.1
    assert rows["pre-training: step, forward"]["macs"] == (
        encoder["macs"] + rows["pre-training: what paints the rest"]["macs"]
    )
    assert "A step of pre-training, forward, a clip of 16 x 224 x 224" in capsys.readouterr().out


def test_mask_tokens_cost_the_whole_network(tmp_path):
    (tmp_path / "simmim.yaml").write_text(
        "model:\n  class_path: vidattn.SimMIM\n  init_args:\n    weights: nowhere.ckpt\n    network: "
        "{attention: window, num_frames: 4, image_size: 32, patch_size: 8, embed_dim: 32, depth: 2, num_heads: 2}\n"
    )
    network, painter, _ = painting_rows(str(tmp_path / "simmim.yaml"), 4, 32, 32)
    assert network["row"] == "pre-training: network, on 64 of 64 tokens"
    assert network["share"] == 1
    assert painter["macs"] == 4 * 9 * 32 * 192  # 9 of a frame's 16 places are hidden


def test_other_tasks_and_presets_have_no_such_row():
    assert painting_rows("configs/k400_divided.yaml", 8, 224, 224) == []
    assert painting_rows("timesformer", 8, 224, 224) == []
