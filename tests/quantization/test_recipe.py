import copy
from dataclasses import replace

import pytest
import torch
from small import bright, bright_clips, needs_torchao

from vidattn.export.cases import TINY, _random, cases
from vidattn.mistakes import Mistake
from vidattn.models.lean import lean
from vidattn.models.normalize import NORMALIZATIONS, Normalize
from vidattn.quantization import Quantization, chosen_layers, measured_ranges, quantize
from vidattn.quantization.kinds import KINDS
from vidattn.quantization.recipe import is_quantized, linear_layers, num_weights, rebuilt

NORMALIZE = Normalize(*NORMALIZATIONS["timesformer"])


def small(network, kind, skip=(), clips=None, clip="minmax"):
    network = copy.deepcopy(network)
    names = tuple(chosen_layers(network, skip))
    ranges = measured_ranges(network, names, [clips], clip) if KINDS[kind].needs_ranges else None
    return quantize(network, Quantization(kind, names), ranges)


@needs_torchao
@pytest.mark.parametrize("kind", KINDS)
def test_a_trained_network_answers_as_before(kind):
    clips, labels = bright_clips(60)
    with torch.no_grad():
        wanted = bright()(NORMALIZE(clips))
        found = small(bright(), kind, clips=NORMALIZE(bright_clips(16)[0]), clip="percentile")(NORMALIZE(clips))
    assert (wanted.argmax(1) == labels).float().mean() > 0.9
    assert (found.argmax(1) == wanted.argmax(1)).float().mean() >= 0.98
    assert 0 < (found - wanted).norm() / wanted.norm() < 0.2


@needs_torchao
@pytest.mark.parametrize("kind", ["int8", "fp8"])
@pytest.mark.parametrize("attention", ["joint", "divided"])
def test_the_form_that_answers_fastest_answers_the_same(kind, attention):
    config = replace(TINY, attention=attention, pooling="class_token", position="space+time")
    torch.manual_seed(0)
    network = config.build().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    network = small(network, kind)
    video = torch.randn(2, 3, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(lean(network)(video), network(video), rtol=1e-4, atol=1e-4)


@needs_torchao
def test_every_scheme_image_block_preset_and_read_out_can_be_small():
    for case in cases():
        if case.kind == "task":
            continue
        network = _random(case.build.args[0].build()).eval()
        video, weights, macs = torch.randn(2, 3, *case.clip), num_weights(network), network.macs(*case.clip)
        with torch.no_grad():
            wanted = network(video)
            quantize(network, Quantization("int8", tuple(linear_layers(network))))
            apart = (network(video) - wanted).norm() / wanted.norm()
        assert 0 < apart < 0.1, case.name
        assert network.macs(*case.clip) == macs, case.name
        assert weights <= num_weights(network) <= 1.01 * weights, case.name  # with zeros for keys without a bias


@needs_torchao
def test_what_is_skipped_stays_and_an_empty_network_of_the_same_kind_takes_the_state():
    network = small(bright(), "int8", skip=["blocks.0.*", "*.fc2"])
    kept = set(linear_layers(network))
    assert kept == {name for name in linear_layers(bright()) if name.startswith("blocks.0") or name.endswith("fc2")}
    assert is_quantized(network)
    assert not is_quantized(bright())
    names = tuple(name for name in linear_layers(bright()) if name not in kept)
    again = rebuilt(bright().config.build(), Quantization("int8", names)).eval()
    again.load_state_dict(network.state_dict())
    video = torch.randn(1, 3, 4, 32, 32)
    assert torch.equal(again(video), network(video))
    with pytest.raises(Mistake, match=r"no linear layer blocks\.9\.x; it is of another network"):
        rebuilt(bright().config.build(), Quantization("int8", ("blocks.9.x",)))


def test_patterns_that_match_nothing_and_kinds_that_are_not_there_are_refused():
    with pytest.raises(Mistake, match=r"skip='block\.0\.\*' matches no linear layer; there are blocks\.0\.steps\.0"):
        chosen_layers(bright(), ["block.0.*"])
    with pytest.raises(Mistake, match=r"skip=\* leaves no linear layer"):
        chosen_layers(bright(), ["*"])
    with pytest.raises(Mistake, match=r"kind='int9' of quantisation is unknown; did you mean 'int8'|int8"):
        Quantization("int9", ("a",))
    with pytest.raises(Mistake, match=r"quantization=\{'kind': 'int8'\} cannot be read \(KeyError: 'layers'\)"):
        Quantization.from_dict({"kind": "int8"})
    stored = Quantization("int8-static", ("a", "b"), "minmax", 3)
    assert Quantization.from_dict(stored.to_dict()) == stored


def test_ranges_are_the_extremes_or_leave_the_tails_out_and_the_network_is_as_before():
    clips, names = NORMALIZE(bright_clips(4)[0]), chosen_layers(bright())
    fc1 = bright().blocks[0].mlp.fc1
    given = []
    hook = fc1.register_forward_pre_hook(lambda _, args: given.append(args[0].clone()))
    before = dict(bright().named_modules())
    extremes = measured_ranges(bright(), names, clips.split(2), "minmax")
    tails = measured_ranges(bright(), names, clips.split(2), "percentile")
    hook.remove()
    assert dict(bright().named_modules()) == before
    values = torch.cat([one.flatten() for one in given[:2]])
    assert extremes["blocks.0.mlp.fc1"] == (values.min().item(), values.max().item())
    for name in names:
        assert extremes[name].low <= tails[name].low <= 0 <= tails[name].high <= extremes[name].high
    with pytest.raises(Mistake, match="no clip to calibrate on"):
        measured_ranges(bright(), names, [], "minmax")
    with pytest.raises(Mistake, match="clip='median' is unknown; choose one of minmax, percentile"):
        measured_ranges(bright(), names, [clips], "median")
