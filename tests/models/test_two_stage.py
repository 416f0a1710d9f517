"""A network of a user's own, whose stages differ in width, in everything that ours are used in."""

import pytest
import torch
from two_stage import TwoStageConfig, clips

import vidattn
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.explain.rollout import rollout
from vidattn.flops import count, measure
from vidattn.preprocessing import Preprocessing


def randomised(network):
    for index, parameter in enumerate(network.parameters()):
        torch.nn.init.normal_(parameter, std=0.2, generator=torch.Generator().manual_seed(index))
    return network.eval()


def test_it_is_counted_as_torch_counts_it():
    config = TwoStageConfig()
    cost = count(config)  # checked against FlopCounterMode module by module
    with torch.device("meta"):
        assert cost.macs == measure(config.build(), torch.empty(1, 3, 4, 32, 32)).macs
    assert [block.name for block in cost.blocks] == ["WindowAttention3D", "TemporalAttention + SpatialAttention"]
    assert cost.attention == "window(2,2,2) then time+space"


def test_saved_and_loaded_by_its_import_path_it_answers_the_same(tmp_path):
    network = randomised(vidattn.build_network(TwoStageConfig(width=24)))
    pixels = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2), image_size=32)
    Pretrained(network, ["a", "b", "c"], pixels).save_pretrained(tmp_path)

    again = vidattn.load(tmp_path)

    assert again.config == TwoStageConfig(width=24)
    assert again.class_names == ["a", "b", "c"]
    torch.testing.assert_close(again.network(clips()), network(clips()))
    assert vidattn.load(tmp_path, num_classes=5).report == ["head: reset, 3 classes -> 5"]
    with pytest.raises(ValueError, match="the networks differ: width=24 in the file, 16 here"):
        vidattn.load(tmp_path, width=16)


def test_its_maps_are_refused_in_words():
    with pytest.raises(TypeError, match="TwoStage cannot be explained: stage 0 hands its tokens on to other tokens"):
        rollout(TwoStageConfig().build(), clips())


def test_it_has_the_verbs_of_every_network():
    network = randomised(TwoStageConfig().build())
    features = network.features(clips(), normalized=True)
    assert features.video.shape == (2, 4, 4, 4, 32)
    assert network.num_features == 32
    network.reset_classifier(7)
    assert network(clips()).shape == (2, 7)
    assert network.config.num_classes == 7
