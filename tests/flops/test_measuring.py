"""Other people's models on the meta device: their counts are the closed forms worked out by hand."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision.models.video as zoo
from torch import nn

from vidattn.flops import measure
from vidattn.flops.measuring import Uncounted
from vidattn.models.presets import build_network, preset

FACTS = Path(__file__).parents[2] / ".." / "shared" / "facts" / "real_models_closed_form.json"


def hf(name, frames, **config):
    transformers = pytest.importorskip("transformers")
    config = getattr(transformers, f"{name}Config")(num_labels=400, **config)
    return getattr(transformers, f"{name}ForVideoClassification")(config), (1, frames, 3, 224, 224)


def vit(name):
    return pytest.importorskip("timm").create_model(name), (1, 3, 224, 224)


MODELS = {
    "HF TimeSformer": (lambda: hf("Timesformer", 8, num_frames=8), 121_566_352, 195_830_280_192),
    "HF ViViT-B/16x2": (lambda: hf("Vivit", 32), 88_954_000, 451_524_753_408),
    "HF VideoMAE-B": (lambda: hf("VideoMAE", 16), 86_534_800, 180_344_893_440),
    "torchvision swin3d_t": (lambda: (zoo.swin3d_t(), (1, 3, 32, 224, 224)), 28_158_070, 87_764_152_320),
    "torchvision mvit_v1_b": (lambda: (zoo.mvit_v1_b(), (1, 3, 16, 224, 224)), 36_610_672, 70_599_407_808),
    "torchvision mvit_v2_s": (lambda: (zoo.mvit_v2_s(), (1, 3, 16, 224, 224)), 34_537_744, 64_223_815_872),
    # 12 [12 S D^2 + 2 S^2 D] + 196 D 768 + 1000 D with S = 197, D = 768
    "timm ViT-B/16": (lambda: vit("vit_base_patch16_224"), 86_567_656, 17_563_828_224),
}


@pytest.mark.parametrize("name", MODELS)
def test_other_peoples_models_do_what_the_closed_forms_say(name):
    build, parameters, macs = MODELS[name]
    with torch.device("meta"):
        model, shape = build()
    cost = measure(model.eval(), torch.empty(shape))
    counted = cost.parameters
    if name == "HF VideoMAE-B":  # transformers 5.17 has a bias of the keys, other releases and the paper do not
        counted -= sum(one.numel() for key, one in model.named_parameters() if key.endswith("key.bias"))
    assert (counted, cost.macs) == (parameters, macs)
    assert cost.flops == 2 * macs
    if FACTS.exists() and name in (facts := json.loads(FACTS.read_text())):
        assert (counted, cost.macs) == (facts[name]["params_formula"], facts[name]["macs_formula"])


def test_huggingfaces_timesformer_and_ours_do_the_same():
    with torch.device("meta"):
        theirs, shape = hf("Timesformer", 8, num_frames=8)
        ours = build_network(preset("B"))
    ours, theirs = measure(ours, torch.empty(1, 3, 8, 224, 224)), measure(theirs.eval(), torch.empty(shape))
    assert (ours.macs, ours.parameters) == (theirs.macs, theirs.parameters)
    gelu = {name: sum(line.elements for line in cost.uncounted if line.operator == "gelu")
            for name, cost in (("ours", ours), ("theirs", theirs))}  # fmt: skip
    assert gelu["ours"] == gelu["theirs"] == 12 * 1569 * 4 * 768


class Everything(nn.Module):
    def forward(self, q, maps):
        mixed = F.scaled_dot_product_attention(q, q, q).sum()
        pooled = F.max_pool2d(maps, 2)
        return mixed + F.layer_norm(F.gelu(pooled), pooled.shape[-1:]).mean()


def test_arithmetic_that_no_counter_sees_is_listed_and_moves_are_not():
    q, maps = torch.randn(2, 3, 5, 4), torch.randn(1, 7, 8, 8)  # attention on CPU would count as nothing
    cost = measure(Everything(), q, maps)
    assert cost.by_operator == {"bmm": 2 * 2 * 3 * 5 * 5 * 4}
    lines = {line.operator.removeprefix("_safe_").removeprefix("_"): line for line in cost.uncounted}
    assert lines["gelu"] == Uncounted("gelu", 1, 7 * 4 * 4)
    assert lines["native_layer_norm"].elements == 7 * 4 * 4
    assert lines["max_pool2d_with_indices"].elements == maps.numel()
    assert lines["softmax"].elements == 2 * 3 * 5 * 5
    assert {"sum", "mean", "add"} <= lines.keys()
    assert not lines.keys() & {"view", "transpose", "expand", "unsafe_view", "clone", "permute"}
    sizes = [line.elements for line in cost.uncounted]
    assert sizes == sorted(sizes, reverse=True)


def test_submodules_add_up_and_the_module_stays_as_it_is():
    module = nn.Sequential(nn.Linear(8, 4), nn.Sequential(nn.Conv1d(3, 2, 1), nn.Dropout())).eval()
    cost = measure(module, torch.randn(5, 3, 8))
    assert cost.by_module == {"0": 5 * 3 * 8 * 4, "1": 5 * 3 * 2 * 4, "1.0": 5 * 3 * 2 * 4}
    assert cost.macs == cost.by_module["0"] + cost.by_module["1"]
    assert module[0].weight.device.type == "cpu"
    assert not module.training
