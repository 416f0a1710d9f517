"""Weights of a network in stages in one of another attention, and of other clips."""

import torch
from staged import random_staged

import vidattn
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.preprocessing import Preprocessing


def test_weights_pass_to_another_attention_and_to_other_clips(tmp_path):
    network = random_staged("swin")
    Pretrained(network, ["a", "b", "c"], Preprocessing(mean=(0.5,) * 3, std=(0.2,) * 3)).save_pretrained(tmp_path)
    cut = vidattn.load(tmp_path, attention="window(2,3,3)", num_frames=6, image_size=48)
    assert cut.report[-1] == "attention: swin3d(2,3,3) -> window(2,3,3), with the same weights"
    clips = torch.randn(1, 3, 4, 48, 48)  # maps of 12 and 6 rows, which windows of 3 fill
    torch.testing.assert_close(cut.network(clips), network(clips), rtol=1e-4, atol=1e-5)
    joint = vidattn.load(tmp_path, attention=("swin3d(2,3,3)", "joint"))
    assert joint.report == [
        "stage 1, steps.0 (JointAttention): from WindowAttention3D",
        "attention: swin3d(2,3,3) -> swin3d(2,3,3) then joint, computes something else at first: train it further",
        "stages.1.blocks.*.steps.0.bias: not taken over",
    ]
