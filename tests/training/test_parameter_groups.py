from types import SimpleNamespace

import pytest
import torch
from own_network import OwnConfig
from staged import STAGED
from torch import nn

from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.training.parameter_groups import LayerDecay, layer_numbers, parameter_groups


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


class Task(nn.Module):
    """A network, and something beside it."""

    def __init__(self, network):
        super().__init__()
        self.network, self.beside = network, nn.Linear(2, 2)


def rates(task, factor=0.5):
    """name -> (factor on the learning rate, whether it decays)."""
    names = {id(parameter): name for name, parameter in task.named_parameters()}
    return {
        names[id(parameter)]: (group["lr_scale"], "weight_decay" not in group)
        for group in LayerDecay(factor).groups(task)
        for parameter in group["params"]
    }


def test_rates_fall_from_the_head_to_the_patches_by_videomaes_rule():
    found = rates(Task(network()))
    assert found["network.patch.weight"] == (0.125, True)
    for name in ("prefix", "position.table", "time.table", "patch.bias"):
        assert found[f"network.{name}"] == (0.125, False)
    assert found["network.blocks.0.mlp.fc1.weight"] == (0.25, True)
    assert found["network.blocks.1.steps.0.attn.qkv.weight"] == (0.5, True)
    assert found["network.norm.weight"] == (1.0, False)
    assert found["network.head.weight"] == found["beside.weight"] == (1.0, True)
    assert len(found) == sum(1 for _ in Task(network()).parameters())


def test_blocks_of_several_stages_are_counted_through():
    found = rates(Task(network("space>time(3)")))
    assert found["network.spatial.blocks.1.mlp.fc1.weight"][0] == 0.5**4
    assert found["network.temporal.blocks.0.mlp.fc1.weight"][0] == 0.5**3
    assert found["network.temporal.blocks.2.mlp.fc1.weight"][0] == 0.5
    assert found["network.patch.weight"][0] == found["network.spatial.position.table"][0] == 0.5**6
    assert found["network.spatial.norm.weight"][0] == found["network.temporal.position.table"][0] == 0.5**4
    assert found["network.temporal.norm.weight"][0] == 1


def test_a_network_of_a_users_own_is_counted_by_its_stages():
    own = OwnConfig().build()
    numbers, top = layer_numbers(own)
    blocks = list(own.all_blocks())
    assert top == len(blocks) + 1
    assert [numbers[next(block.parameters())] for block in blocks] == list(range(1, top))
    assert set(numbers) == set(own.parameters())
    assert {numbers[parameter] for parameter in own.head.parameters()} == {top}


def test_frozen_layers_are_in_no_group():
    task = Task(network())
    task.network.blocks.requires_grad_(False)
    assert not any("blocks" in name for name in rates(task))


@pytest.mark.parametrize("factor", [0, -1, 1.1, float("nan")])
def test_a_factor_that_makes_no_sense_is_refused(factor):
    with pytest.raises(ValueError, match=f"layer decay factor={factor} must be above 0 and at most 1"):
        LayerDecay(factor)


def test_the_task_steps_each_group_at_its_own_rate_and_logs_the_heads():
    from vidattn.training.schedule import Constant
    from vidattn.training.video_classifier import VideoClassifier

    made = VideoClassifier(
        network().config, optimizer=lambda groups: torch.optim.SGD(groups, lr=0.1), schedule=Constant(),
        groups=LayerDecay(0.5), head_scale=0.001,
    )  # fmt: skip
    optimizer = made.configure_optimizers()
    assert sorted({round(group["lr"], 6) for group in optimizer.param_groups}) == [0.0125, 0.025, 0.05, 0.1]
    assert made.network.head.weight.abs().max() < 1e-4
    logged = {}
    made._trainer = SimpleNamespace(
        optimizers=[optimizer], num_training_batches=1, current_epoch=0, max_epochs=1, max_steps=-1, datamodule=None,
        global_rank=0,
    )  # fmt: skip
    made.log = logged.__setitem__
    made.on_train_batch_start({}, 0)
    assert logged == {"lr": 0.1}


@pytest.mark.parametrize("name", STAGED)
def test_networks_in_stages_learn_by_block_and_what_leads_to_a_stage_as_the_block_before(name):
    net = STAGED[name].build()
    numbers, top = layer_numbers(net)
    first, second = net.config.depths
    assert top == first + second + 1
    named = {key: numbers[parameter] for key, parameter in net.named_parameters()}
    assert all(named[key] == 0 for key in named if key.startswith(("stem.", "prefix", "position.", "time.")))
    assert all(named[key] == first for key in named if key.startswith("stages.1.merging."))
    assert named["stages.1.blocks.0.mlp.fc1.weight"] == first + 1
    assert named.get("norm.weight", top) == named["head.bias"] == top  # CoAtNet's read-out brings its norm
    assert all(named[key] == top for key in named if key.startswith("readout."))
