"""Hiera's files: fine-tuned and pre-trained ones for video are read, others are refused by what they hold."""

import pytest
import torch
from hiera import Hiera
from hiera.hiera_mae import MaskedAutoencoderHiera

import vidattn

VIDEO = {
    **{"embed_dim": 8, "num_heads": 1, "stages": (1, 1, 1, 1), "num_classes": 5, "q_stride": (1, 2, 2)},
    **{"mask_unit_size": (1, 8, 8), "patch_kernel": (3, 7, 7), "patch_stride": (2, 4, 4), "patch_padding": (1, 3, 3)},
    **{"sep_pos_embed": True, "input_size": (4, 32, 32)},
}


def write(model, path):
    torch.save({"model_state": model.state_dict()}, path)
    return path


def test_a_file_is_loaded_with_its_licence_and_resized_for_other_clips(tmp_path):
    theirs = Hiera(**VIDEO).train()
    model = vidattn.load(write(theirs, tmp_path / "hiera.pth"))
    clips = torch.randn(1, 3, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(model.network(clips), theirs(clips), rtol=1e-5, atol=1e-5)
    assert model.report == [
        "image_size: assumed square, 32x32; the file does not say",
        "num_heads: assumed (1, 2, 4, 8), as published for width 8; the file does not say",
    ]
    assert (model.preprocessing.image_size, model.preprocessing.sampling.init_args["num_frames"]) == (32, 4)
    assert model.licence.startswith("CC BY-NC 4.0")
    larger = vidattn.load(tmp_path / "hiera.pth", num_frames=8, image_size=64)
    assert "position.table: resized, (8, 8) -> (16, 16), bicubic" in larger.report
    assert "time.table: resized, 2 frames -> 4, linear" in larger.report
    wide = torch.randn(1, 3, 8, 64, 64)
    with torch.no_grad():  # the same as resizing at run time
        torch.testing.assert_close(larger.network(wide), model.network(wide), rtol=1e-4, atol=1e-5)


def test_of_a_pre_trained_one_the_encoder_is_taken(tmp_path):
    masked = MaskedAutoencoderHiera(**VIDEO, decoder_embed_dim=8, decoder_depth=1, decoder_num_heads=1)
    model = vidattn.load(write(masked, tmp_path / "mae.pth"), num_classes=3)
    state = model.network.state_dict()
    assert torch.equal(state["stages.1.blocks.0.project.weight"], masked.state_dict()["blocks.1.proj.weight"])
    assert any(line.startswith("the decoder of pre-training: left out") for line in model.report)
    assert "head: reset, none -> 3" in model.report


def test_one_for_images_is_refused(tmp_path):
    image = Hiera(embed_dim=8, num_heads=1, stages=(1, 1, 1, 1), input_size=(32, 32))
    with pytest.raises(ValueError, match="a Hiera for images; vidattn reads those for video"):
        vidattn.load(write(image, tmp_path / "image.pth"))
