"""CoAtNet against timm's: parameters, cost, answers."""

import pytest
import timm
import torch
from timm.models.maxxvit import MaxxVit, MaxxVitCfg
from torch.utils.flop_counter import FlopCounterMode

import vidattn
from vidattn.models.presets import preset

# timm's parameters and MACs at 224 pixels, of `timm.create_model("coatnet_0_224")` and so on.
MEASURED = {
    "coatnet-0": (25_036_820, 4_546_507_776),
    "coatnet-1": (42_225_776, 8_643_499_008),
    "coatnet-2": (74_684_744, 16_427_134_976),
    "coatnet-3": (166_966_264, 36_453_156_864),
    "coatnet-4": (275_425_288, 62_316_840_960),
    "coatnet-5": (687_472_008, 145_264_287_744),
}


def tiny(size: int = 64) -> MaxxVit:
    """A network of timm's with every weight random, its running means and variances too."""
    torch.manual_seed(0)
    sizes = MaxxVitCfg(embed_dim=(32, 64, 96, 128), depths=(2, 1, 2, 2), stem_width=24, head_hidden_size=128)
    theirs = MaxxVit(sizes, img_size=size, num_classes=5).eval()
    for name, value in theirs.state_dict().items():
        if value.is_floating_point():
            torch.nn.init.normal_(value, 1.0 if "norm" in name and name.endswith("weight") else 0.0, std=0.1)
        if name.endswith("running_var"):
            value.abs_().add_(0.5)
    return theirs


def loaded(theirs: MaxxVit, folder, **changes):
    torch.save(theirs.state_dict(), folder / "coatnet.pth")
    return vidattn.load(folder / "coatnet.pth", **changes)


@pytest.mark.parametrize("name", MEASURED)
def test_parameters_and_cost_are_timms(name):
    with torch.device("meta"):
        network = preset(name).build()
    parameters, macs = MEASURED[name]
    assert sum(map(torch.numel, network.parameters())) == parameters
    assert network.macs(1, 224, 224).total == macs  # which tests/flops hold to what torch counts


def test_the_measured_figures_are_those_of_this_timm():
    with torch.device("meta"):
        theirs = timm.create_model("coatnet_0_224").eval()
        with FlopCounterMode(display=False) as counter:
            theirs(torch.empty(1, 3, 224, 224))
    parameters = sum(map(torch.numel, theirs.parameters()))
    assert (parameters, counter.get_total_flops() // 2) == MEASURED["coatnet-0"]


@pytest.mark.parametrize("training", [False, True])
def test_answers_are_timms_of_each_picture(tmp_path, training):
    theirs = tiny()
    model, pictures = loaded(theirs, tmp_path), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        wanted = theirs.train(training)(pictures)
        found = model.network.train(training)(pictures[:, :, None])
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    assert model.config.attention == ("mbconv_se", "mbconv_se", "relative(4,4)", "relative(2,2)")
    assert model.licence.startswith("not stated in the file: timm's code is Apache-2.0")
    assert model.preprocessing.pixels == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_the_preset_is_the_network_that_timms_weights_are_read_as(tmp_path):
    torch.manual_seed(0)
    theirs = timm.create_model("coatnet_0_224").eval()
    model, picture = loaded(theirs, tmp_path), torch.randn(1, 3, 224, 224)
    assert model.config == preset("coatnet-0")
    with torch.no_grad():
        torch.testing.assert_close(model.network(picture[:, :, None]), theirs(picture), rtol=1e-5, atol=1e-5)


def test_slopes_are_timms(tmp_path):
    theirs = tiny().double().train()
    network = loaded(theirs, tmp_path).network.double().train()
    pictures = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    for net, given in ((theirs, pictures), (network, pictures[:, :, None])):
        net(given).square().sum().backward()
    wanted = theirs.stages[0].blocks[0].pre_norm.weight.grad
    torch.testing.assert_close(network.stages[0].blocks[0].steps[0].block.norm.weight.grad, wanted)
    wanted = theirs.stages[2].blocks[0].attn.rel_pos.relative_position_bias_table.grad
    torch.testing.assert_close(network.stages[2].blocks[0].steps[0].block.table.grad.flatten(1).T, wanted)
    torch.testing.assert_close(network.stem.first.weight.grad, theirs.stem.conv1.weight.grad)


def test_of_a_clip_each_frame_is_seen_alone(tmp_path):
    theirs = tiny()
    model, clip = loaded(theirs, tmp_path, num_frames=3), torch.randn(2, 3, 3, 64, 64)
    with torch.no_grad():
        features = [model.network.features(clip[:, :, [frame]]).video for frame in range(3)]
        torch.testing.assert_close(model.network.features(clip).video, torch.cat(features, 1), rtol=1e-5, atol=1e-5)


def test_a_stage_gets_time_with_the_weights_that_there_are(tmp_path):
    attention = ("mbconv_se", "time+mbconv_se", "time+relative(4,4)", "relative(2,2)")
    theirs, still = tiny(), torch.randn(2, 3, 1, 64, 64)
    model = loaded(theirs, tmp_path, num_frames=2, attention=attention)
    with torch.no_grad():  # temporal attention starts with an update of zero
        torch.testing.assert_close(model.network(still.expand(-1, -1, 2, -1, -1)), theirs(still[:, :, 0]))


def test_for_larger_pictures_tables_are_resized_as_the_network_does(tmp_path):
    theirs, clip = tiny(), torch.randn(1, 3, 1, 96, 96)
    attention = ("mbconv_se", "mbconv_se", "relative(6,6)", "relative(3,3)")
    resized = loaded(theirs, tmp_path, image_size=96, attention=attention)
    with torch.no_grad():
        torch.testing.assert_close(resized.network(clip), loaded(theirs, tmp_path).network(clip), rtol=1e-5, atol=1e-5)
    assert "relative positions: 2 tables resized, bilinear" in resized.report


def test_timms_other_form_is_refused_by_name(tmp_path):
    theirs = timm.create_model("coatnet_nano_rw_224")
    with pytest.raises(
        ValueError, match=r"a CoAtNet in timm's own form .* reads the paper's form, timm's coatnet_0 to"
    ):
        loaded(theirs, tmp_path)


def test_sizes_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match=r"input=224x230: 230 pixels .* nearest sizes are 224 and 256"):
        preset("coatnet-0").check_clip(1, 224, 230)
