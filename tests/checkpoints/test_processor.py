"""Processors of transformers, switch by switch: what the network is fed is what they make, or it is said."""

import itertools
import json

import pytest
import torch

from vidattn.checkpoints.processor import preprocessing
from vidattn.checkpoints.read import HF_MODELS
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.models.normalize import Normalize

transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")

PROCESSORS = {
    "VideoMAEImageProcessor": "videomae",
    "VideoMAEVideoProcessor": "videomae",
    "TimesformerVideoProcessor": "timesformer",
    "VivitImageProcessor": "vivit",
    "VivitVideoProcessor": "vivit",
    "ViTImageProcessor": "vit",
}


def found(folder, kind, image_size=32):
    made, notes = preprocessing(folder, kind, HF_MODELS[kind][1], image_size)
    return made.to_dict(), notes


def written(folder, **values):
    (folder / "preprocessor_config.json").write_text(json.dumps(values))


def theirs(processor, frames):
    """`(T, 3, H, W)`, whatever the processor calls its argument."""
    if "Video" in type(processor).__name__ and "ImageProcessor" not in type(processor).__name__:
        pixels = processor(videos=[frames], return_tensors="pt")["pixel_values"]
    elif "ViT" in type(processor).__name__:
        return processor(images=list(frames), return_tensors="pt")["pixel_values"]
    else:
        pixels = processor(list(frames.numpy()), return_tensors="pt")["pixel_values"]
    return pixels[0]


def fed(folder, kind, frames):
    """What our network is fed, and the notes."""
    values, notes = found(folder, kind)
    size, rounding = values["image_size"], int if values.get("crop_rounding") == "down" else round
    short = values.get("short_side")
    clip = SpatialCrops(size, 1, short if short and short >= size else None, rounding)(frames)[0]  # as preparation_of
    return Normalize(values["mean"], values["std"])(clip.transpose(0, 1)[None])[0].transpose(0, 1), notes


SWITCHES = list(
    itertools.product(
        [True, False],  # do_rescale
        [True, False],  # do_normalize
        [None, 1 / 255, 1 / 127.5, 1.0],  # rescale_factor
        [None, 0.4, [0.1, 0.2, 0.3]],  # image_mean
    )
)


@pytest.mark.parametrize("name", PROCESSORS)
def test_every_switch_of_pixels_gives_what_the_processor_feeds(tmp_path, name):
    torch.manual_seed(0)
    frames = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    sizes = (
        {"size": {"height": 32, "width": 32}}
        if "ViT" in name
        else {
            "size": {"shortest_edge": 32},
            "crop_size": {"height": 32, "width": 32},
        }
    )
    for rescales, normalizes, factor, mean in SWITCHES:
        options = {"do_rescale": rescales, "do_normalize": normalizes, "rescale_factor": factor, "image_mean": mean}
        options = {key: value for key, value in options.items() if value is not None}
        if name == "VivitImageProcessor" and not rescales:
            options["offset"] = False  # it refuses an offset of what is not rescaled
        processor = getattr(transformers, name)(**sizes, **options)
        processor.save_pretrained(tmp_path)
        wanted = theirs(processor, frames).float()

        made, _ = fed(tmp_path, PROCESSORS[name], frames)

        scale = wanted.abs().max().item()
        assert (made - wanted).abs().max().item() < 1e-4 * max(scale, 1), options


@pytest.mark.parametrize("offset", [True, False])
@pytest.mark.parametrize("factor", [1 / 127.5, 1 / 255])
def test_vivits_offset_is_a_switch_of_its_own(tmp_path, offset, factor):
    frames = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    processor = transformers.VivitImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}, offset=offset, rescale_factor=factor
    )
    processor.save_pretrained(tmp_path)

    torch.testing.assert_close(
        fed(tmp_path, "vivit", frames)[0], theirs(processor, frames).float(), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("kind", HF_MODELS)
def test_pixels_that_are_not_rescaled_are_not_moved_either(tmp_path, kind):
    written(tmp_path, do_rescale=False, image_mean=[100] * 3, image_std=[50] * 3)

    values, _ = found(tmp_path, kind)

    assert values["mean"] == pytest.approx([100 / 255] * 3)
    assert values["std"] == pytest.approx([50 / 255] * 3)


GEOMETRY = [
    {"do_resize": False},
    {"do_center_crop": False},
    {"do_center_crop": True},
    {"size": 48, "do_center_crop": False},
    {"size": 48},
    {"size": 48, "default_to_square": True},
    {"size": [40, 56]},
    {"size": {"shortest_edge": 40}},
    {"size": {"height": 40, "width": 40}},
    {"size": {"height": 40, "width": 56}},
    {"size": {"shortest_edge": 40, "longest_edge": 50}},
    {"size": {"max_height": 60, "max_width": 60}},
    {"crop_size": 24},
    {"crop_size": [24, 28]},
    {"crop_size": {"height": 24, "width": 24}},
    {"crop_size": {"height": 24, "width": 28}},
    {"crop_size": {"height": 64, "width": 64}},
    {"resample": 0},
    {"resample": 3},
    {"do_sample_frames": True, "num_frames": 2},
]


@pytest.mark.parametrize("name", ["VideoMAEImageProcessor", "TimesformerVideoProcessor", "ViTImageProcessor"])
@pytest.mark.parametrize("options", GEOMETRY, ids=str)
@pytest.mark.parametrize("shape", [(48, 65), (70, 51)])
def test_every_switch_of_sizes_gives_what_the_processor_feeds_or_is_said(tmp_path, name, options, shape):
    if "do_sample_frames" in options and "Video" not in name:
        return
    torch.manual_seed(0)
    frames = torch.randint(0, 256, (2, 3, *shape), dtype=torch.uint8)
    usual = {} if "ViT" in name else {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    if "ViT" in name:
        usual = {"size": {"height": 32, "width": 32}}
    try:
        processor = getattr(transformers, name)(**usual | options)
        wanted = theirs(processor, frames).float()
    except ValueError:  # no processor at all
        return
    processor.save_pretrained(tmp_path)

    made, notes = fed(tmp_path, PROCESSORS[name], frames)

    same = made.shape == wanted.shape and bool((made - wanted).abs().max() < 0.02)  # a level of 255 over std
    assert same or notes, options
    assert "do_sample_frames" not in options or any("chooses them" in note for note in notes)


def test_what_a_class_does_where_its_file_says_nothing_is_known(tmp_path):
    for name, kind in PROCESSORS.items():
        key = "image_processor_type" if "Image" in name else "video_processor_type"
        written(tmp_path, **{key: name})
        processor = getattr(transformers, name)()

        values, notes = found(tmp_path, kind, image_size=224)

        offset = 1.0 if kind == "vivit" else 0.0
        scale = 255 * processor.rescale_factor
        assert values["mean"] == pytest.approx([(one + offset) / scale for one in processor.image_mean])
        assert values["image_size"] == 224
        assert values.get("short_side", 224) == (dict(processor.size).get("shortest_edge") or 224)
        assert any(line.startswith("mean and std: ") and "its processor's own" in line for line in notes)


def test_a_file_for_several_processors_holds_the_videos_first(tmp_path):
    inner = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5] * 3}
    written(tmp_path, image_mean=[0.9] * 3, image_std=[0.9] * 3)
    (tmp_path / "processor_config.json").write_text(json.dumps({"video_processor": inner, "processor_class": "P"}))

    assert found(tmp_path, "videomae")[0]["mean"] == pytest.approx([0.1, 0.2, 0.3])


def test_a_switch_that_nobody_knows_and_a_class_that_nobody_knows_are_said(tmp_path):
    written(tmp_path, image_mean=[0.5] * 3, image_std=[0.5] * 3, image_processor_type="BitImageProcessor", do_warp=True)

    _, notes = found(tmp_path, "videomae")

    assert "processor: BitImageProcessor is not one that vidattn knows; followed as far as its file says" in notes
    assert "do_warp: its processor's is True, which vidattn does not know and does not follow" in notes
