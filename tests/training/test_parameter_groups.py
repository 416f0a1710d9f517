import pytest
import torch

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.training.parameter_groups import parameter_groups


def network(attention="divided"):
    return build_network(
        VideoTransformerConfig(
            attention, num_classes=5, num_frames=4, image_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2
        )
    )


def test_exactly_the_weights_of_layers_decay():
    model = network()
    names = {id(parameter): name for name, parameter in model.named_parameters()}

    decayed, kept = parameter_groups(model)

    block = ["steps.0.attn.qkv", "steps.0.attn.proj", "steps.0.fc", "steps.1.attn.qkv", "steps.1.attn.proj"]
    block += ["mlp.fc1", "mlp.fc2"]
    layers = ["patch", "head", *(f"blocks.{i}.{layer}" for i in range(2) for layer in block)]
    assert {names[id(parameter)] for parameter in decayed["params"]} == {f"{layer}.weight" for layer in layers}
    assert "weight_decay" not in decayed
    assert kept["weight_decay"] == 0
    rest = {names[id(parameter)] for parameter in kept["params"]}
    assert {"prefix", "position.table", "time.table", "norm.weight", "norm.bias", "blocks.0.norms.1.weight"} <= rest


@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
def test_every_parameter_is_in_one_group(attention):
    model = network(attention)

    grouped = [id(parameter) for group in parameter_groups(model) for parameter in group["params"]]

    assert sorted(grouped) == sorted(id(parameter) for parameter in model.parameters())


def test_frozen_parameters_are_in_none():
    model = network()
    model.patch.requires_grad_(False)

    grouped = {id(parameter) for group in parameter_groups(model) for parameter in group["params"]}

    assert id(model.patch.weight) not in grouped
    assert id(model.patch.bias) not in grouped


def test_only_the_decayed_group_shrinks_under_zero_gradients():
    model = network()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=0.1, weight_decay=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)

    optimizer.step()

    after = dict(model.named_parameters())
    torch.testing.assert_close(after["head.weight"], 0.95 * before["head.weight"])
    assert torch.equal(after["position.table"], before["position.table"])
    assert torch.equal(after["norm.weight"], before["norm.weight"])
