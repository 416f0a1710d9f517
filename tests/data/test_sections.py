"""What the parts of the data's settings refuse, and how single values make them."""

import math

import pytest

from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.datamodule import VideoDataModule
from vidattn.data.sections import Decoding, Lists, Loading, Views

SIZE = 64


def test_parts_and_single_values_make_the_same_data():
    lists, views = Lists(train="train.csv"), Views(image_size=SIZE)
    parts = VideoDataModule(StrideSampling(2, 1), lists, views, Decoding(reader="decord"), Loading(batch_size=2))
    single = VideoDataModule(StrideSampling(2, 1), train="train.csv", image_size=SIZE, reader="decord", batch_size=2)
    changed = VideoDataModule(StrideSampling(2, 1), loading=Loading(batch_size=2), num_workers=1)

    for part in ("lists", "views", "decoding", "loading"):
        assert getattr(parts, part) == getattr(single, part)
    assert changed.loading == Loading(batch_size=2, num_workers=1)


def test_decoding_on_the_gpu_goes_without_workers():
    with pytest.raises(ValueError, match=r"num_workers=2 forked data workers cannot use; set data\.num_workers=0"):
        VideoDataModule(StrideSampling(2, 1), train="train.csv", reader="torchcodec_cuda", num_workers=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "data.batch_size=0; expected 1 or more"),
        ({"eval_batch_size": 0}, "data.eval_batch_size=0; expected 1 or more"),
        ({"num_workers": -1}, "data.num_workers=-1; expected 0 or more"),
        ({"shuffle_buffer": 0}, "data.shuffle_buffer=0; expected 1 or more"),
        ({"image_size": 0}, "data.image_size=0; expected 1 or more"),
        ({"num_test_crops": 0}, "data.num_test_crops=0; expected 1 or more"),
        ({"folder_fps": 0}, "data.folder_fps=0; expected more than 0 frames per second"),
        ({"bacth_size": 4}, "VideoDataModule has no argument 'bacth_size'; did you mean 'batch_size'?"),
        ({"reader": "nope"}, "data.reader='nope' is unknown; choose one of pyav, decord"),
        ({"decode_timeout": 0}, "data.decode_timeout=0; expected more than 0 seconds"),
        ({"decode_timeout": math.inf}, r"data.decode_timeout=inf; .* at most 2073600 \(24 days\), or null for none"),
        ({"quarantine": "train.csv"}, "is no line of a quarantine list"),
        ({"quarantine": "dance"}, r"cannot read quarantine=.*dance \(.*Is a directory"),
    ],
)
def test_what_no_loader_could_use_is_refused_before_anything_starts(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dance").mkdir()
    (tmp_path / "train.csv").write_text("dance/0.mp4,dance\n")
    with pytest.raises(ValueError, match=message):
        VideoDataModule(StrideSampling(2, 1), train="train.csv", **options)
