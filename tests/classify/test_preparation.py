import re
from dataclasses import replace

import av
import numpy as np
import pytest
from encode import encode_video, numbered_frames
from foreseen import CONFIG, PREPROCESSING, brightness_classifier

from vidattn.checkpoints.renaming import WeightsError
from vidattn.classify.preparation import preparation_of
from vidattn.preprocessing import SamplingRule


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {},
            r"sampling UniformSampling\(\) is not possible \(.*'num_frames'\); wanted positive numbers for num_frames",
        ),
        ({"num_frames": 4, "size": 3}, r"UniformSampling\(num_frames=4, size=3\) is not possible \(.*'size'\)"),
        ({"num_frames": 0}, r"UniformSampling\(num_frames=0\) is not possible \(num_frames=0 must be at least 1\)"),
    ],
)
def test_stored_arguments_that_a_rule_does_not_take_are_named(arguments, message):
    stored = SamplingRule("vidattn.data.UniformSampling", arguments)

    with pytest.raises(WeightsError, match=message):
        preparation_of(CONFIG, replace(PREPROCESSING, sampling=stored))


@pytest.mark.parametrize("ending", ["mkv", "webm", "flv"])
def test_a_file_that_ends_before_its_declared_length_is_said_to_be_cut_off(tmp_path, ending):
    codec = {"mkv": "libx264", "webm": "libvpx", "flv": "flv"}[ending]
    whole = encode_video(tmp_path / f"whole.{ending}", numbered_frames(60), 20, codec=codec)
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    classifier = brightness_classifier()

    assert classifier.views(whole).notes == []
    (note,) = classifier.views(cut).notes
    assert re.fullmatch(r"the file ends after [12]\.\d of the 3\.0 seconds that it declares: it was cut off", note)


def test_sound_that_outlasts_the_pictures_is_no_cut(tmp_path):
    path = tmp_path / "long_sound.mkv"
    with av.open(str(path), "w") as output:
        video, sound = output.add_stream("libx264", rate=20), output.add_stream("aac", rate=8000)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for image in numbered_frames(20):
            output.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * 4), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 8000
        output.mux([*video.encode(None), *sound.encode(silence), *sound.encode(None)])

    assert brightness_classifier().views(path).notes == []
