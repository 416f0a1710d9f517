"""Networks in stages, in everything that networks of one width are used in."""

from dataclasses import replace

import pytest
import torch
from staged import CLIP, STAGED, random_staged
from torch.utils.flop_counter import FlopCounterMode

import vidattn
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.flops import count
from vidattn.flops.activations import network_bytes
from vidattn.flops.weightless import network_on_meta
from vidattn.preprocessing import Preprocessing

staged = pytest.mark.parametrize("name", STAGED)


@staged
@pytest.mark.parametrize("shape", [CLIP, (3, 64, 32), (1, 32, 96)])
def test_clips_of_other_lengths_and_sizes_cost_what_is_declared_and_what_is_saved(name, shape):
    config = STAGED[name]
    network = network_on_meta(config)
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        assert network(torch.empty(2, 3, *shape)).shape == (2, 3)
    assert counter.get_total_flops() == 2 * network.macs(*shape).flops
    cost = count(config, *shape)  # checked module by module
    assert cost.activation_bytes == network_bytes(network, *shape)
    assert cost.parameters == sum(parameter.numel() for parameter in network.parameters())


@staged
def test_every_parameter_gets_a_gradient_and_recomputing_blocks_changes_memory_only(name):
    plain = random_staged(name).train()
    saving = replace(STAGED[name], gradient_checkpointing=True).build().train()
    saving.load_state_dict(plain.state_dict())
    for network in (plain, saving):
        network(torch.randn(2, 3, *CLIP, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    for (key, one), other in zip(plain.named_parameters(), saving.parameters(), strict=True):
        assert one.grad is not None, key
        torch.testing.assert_close(one.grad, other.grad, msg=key)
    assert count(saving.config).activation_bytes < count(plain.config).activation_bytes


@pytest.mark.parametrize("name", ["swin", "mvit", "hiera", "coatnet"])
def test_compiles_in_one_graph_and_stays_close_in_bf16(name):
    network, video = random_staged(name), torch.randn(2, 3, *CLIP)
    torch._dynamo.reset()
    compiled = torch.compile(network.train(), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(video), network(video), rtol=1e-4, atol=1e-5)
    exact = network.eval()(video)
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(video)
    assert (rough.float() - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize("name", ["swin", "mvit", "hiera"])
def test_one_export_serves_every_batch(name):
    network, clips = random_staged(name), torch.randn(3, 3, *CLIP)
    program = torch.export.export(network, (clips[:2],), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)).module()
    torch.testing.assert_close(program(clips), network(clips), rtol=1e-4, atol=1e-4)


@staged
def test_saved_and_loaded_it_answers_the_same_and_takes_another_head(name, tmp_path):
    network = random_staged(name)
    pixels = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2), image_size=32)
    Pretrained(network, ["a", "b", "c"], pixels).save_pretrained(tmp_path)
    again = vidattn.load(tmp_path)
    assert again.config == STAGED[name]
    clips = torch.randn(2, 3, *CLIP)
    torch.testing.assert_close(again.network(clips), network(clips))
    assert vidattn.load(tmp_path, num_classes=5).report == ["head: reset, 3 classes -> 5"]
    with pytest.raises(ValueError, match=r"the networks differ: widths=\(.*\) in the file, .* here"):
        vidattn.load(tmp_path, widths=tuple(2 * width for width in STAGED[name].widths))
    assert "GMACs" in (tmp_path / "README.md").read_text()


@staged
def test_features_are_what_the_head_reads(name):
    network, clips = random_staged(name), torch.randn(2, 3, *CLIP)
    found = network.features(clips, normalized=True)
    assert found.video.shape[-1] == network.num_features == STAGED[name].widths[-1]
    torch.testing.assert_close(found.tokens, network.norm(network.features(clips).tokens))
    torch.testing.assert_close(network.head(network.read(network.features(clips))), network(clips))
    assert network(torch.empty(0, 3, *CLIP)).shape == (0, 3)


@staged
def test_no_place_can_be_left_out(name):
    with pytest.raises(ValueError, match="HierarchicalConfig cannot leave places out"):
        random_staged(name).features(torch.randn(1, 3, *CLIP), torch.tensor([[0, 1]]))


def test_a_stage_has_the_attention_that_one_line_says():
    network = replace(STAGED["swin"], attention=("window(2,3,3)", "time+space")).build()
    names = [[type(step).__name__ for step in block.steps] for block in network.all_blocks()]
    assert names == [
        ["WindowAttention3D"],
        ["ShiftedWindowAttention3D"],
        ["TemporalAttention", "SpatialAttention"],
    ]
    assert network.config.title == "window(2,3,3) then time+space"
