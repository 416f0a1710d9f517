import io
import json
import time
from dataclasses import replace

import av
import numpy as np
import pytest
import torch
from foreseen import CONFIG, LEVELS, PREPROCESSING, brightness_classifier, plain_video, write_checkpoint
from torchvision.transforms import v2

from vidattn import Classifier, load, open_video, preset
from vidattn.checkpoints.renaming import WeightsError
from vidattn.classify.prediction import Predictions
from vidattn.classify.preparation import preparation_of
from vidattn.data.clips.sampling import StrideSampling, UniformSampling, VideoTimes
from vidattn.data.errors import VideoDecodeError
from vidattn.models.lean import Lean
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing, SamplingRule

PIXELS = Preprocessing(mean=(0.45, 0.45, 0.45), std=(0.225, 0.225, 0.225))


def decoded(path):
    """All frames, by FFmpeg in its own order."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def by_hand(checkpoint, frames):
    """The checkpoint's answer on `(T, H, W, 3)` frames that are a clip, step by step."""
    saved = load(checkpoint)
    clip = torch.from_numpy(frames).permute(0, 3, 1, 2)
    clip = v2.functional.center_crop(v2.functional.resize(clip, [32], antialias=True), [32, 32])
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in saved.preprocessing.pixels)
    with torch.no_grad():
        return saved.network(((clip.transpose(0, 1) / 255 - mean) / std)[None]).softmax(-1)[0].numpy()


def test_the_checkpoint_tells_frames_size_normalisation_and_names(checkpoint, tiny_video):
    answer = Classifier.from_pretrained(checkpoint)(tiny_video)

    middle = (48 - 10) // 2  # four frames, three apart, in the middle of 48
    wanted = by_hand(checkpoint, decoded(tiny_video)[middle : middle + 10 : 3])
    np.testing.assert_allclose(answer.probabilities, wanted, atol=1e-5)
    assert answer.probabilities.max() - answer.probabilities.min() > 0.05  # not the same whatever it sees
    assert answer.name == ["run", "jump & land", "sit"][wanted.argmax()]
    assert answer.probability == pytest.approx(wanted.max(), abs=1e-5)
    assert not answer.notes


def test_path_bytes_stream_and_frames_give_the_same_answer(checkpoint, tiny_video):
    classifier = Classifier.from_pretrained(checkpoint)
    wanted = classifier(tiny_video).probabilities
    data = tiny_video.read_bytes()
    frames = decoded(tiny_video)

    for source in (str(tiny_video), data, bytearray(data), io.BytesIO(data), frames, torch.from_numpy(frames)):
        np.testing.assert_array_equal(classifier(source).probabilities, wanted)


def test_classes_that_do_not_exclude_one_another_have_probabilities_of_their_own(tmp_path, tiny_video):
    path = write_checkpoint(tmp_path / "several.ckpt", preprocessing=replace(PREPROCESSING, multi_label=True))
    classifier = Classifier.from_pretrained(path)

    answer = classifier(tiny_video)

    with torch.no_grad():
        clip = classifier.views(tiny_video).video.to(classifier.device)
        logits = classifier.network(classifier.normalize(clip))[0].cpu()
    np.testing.assert_allclose(answer.probabilities, logits.sigmoid(), atol=1e-6)


def test_folder_glob_and_list_give_an_answer_for_each_video_in_order(tmp_path):
    (tmp_path / "deeper").mkdir()
    for name, level in (("b.mp4", 120), ("a.mkv", 30), ("deeper/c.MP4", 220)):
        plain_video(tmp_path / name, [level] * 12)
    (tmp_path / "notes.txt").write_text("no video")
    classifier = brightness_classifier()

    folder = classifier(tmp_path, progress=False)
    assert isinstance(folder, Predictions)
    assert [(answer.path.removeprefix(f"{tmp_path}/"), answer.name) for answer in folder] == [
        ("a.mkv", "dark"),
        ("b.mp4", "grey"),
        ("deeper/c.MP4", "light"),
    ]
    assert [answer.name for answer in classifier(f"{tmp_path}/*.m*", progress=False)] == ["dark", "grey"]
    several = classifier([tmp_path / "b.mp4", (tmp_path / "a.mkv").read_bytes()], progress=False)
    assert [(answer.path, answer.name) for answer in several] == [(f"{tmp_path}/b.mp4", "grey"), ("<bytes>", "dark")]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path):
    path = plain_video(tmp_path / "clip[1].mp4", [30] * 12)

    assert brightness_classifier()(str(path)).name == "dark"


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_of_several_the_broken_ones_are_named_and_the_others_answered(tmp_path, batch_size):
    paths = [plain_video(tmp_path / f"{level}.mp4", [level] * 12) for level in LEVELS.values()]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all" * 100)
    classifier = brightness_classifier()
    classifier.batch_size = batch_size

    answers = classifier([paths[0], broken, *paths[1:], tmp_path / "31.mp4"], progress=False)

    assert [answer.name for answer in answers] == list(LEVELS)
    assert [path for path, _ in answers.skipped] == [str(broken), str(tmp_path / "31.mp4")]
    assert "cannot open it as a video" in answers.skipped[0][1]
    assert answers.skipped[1][1] == f"no such file; did you mean {tmp_path}/30.mp4?"
    assert "skipped" in str(answers)
    assert str(broken) in answers._repr_html_()


def test_frames_of_the_length_of_a_clip_are_the_clip(tmp_path):
    frames = np.array([10, 250, 250, 250], np.uint8)[:, None, None, None].repeat(32, 1).repeat(32, 2).repeat(3, 3)
    classifier = brightness_classifier(num_frames=4, frame_stride=3)

    assert classifier.views(frames).video[0, 0, :, 0, 0].tolist() == [10, 250, 250, 250]
    assert not classifier(frames).notes


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((8, 3, 32, 32), np.uint8), r"wanted \(T, H, W, 3\): permute them by \(0, 2, 3, 1\)"),
        (np.zeros((3, 8, 32, 32), np.uint8), r"permute them by \(1, 2, 3, 0\)"),
        (np.zeros((32, 32, 3), np.uint8), r"frames of shape \(32, 32, 3\); wanted"),
        (np.zeros((2, 8, 32, 32, 3), np.uint8), "one video at a time"),
        (np.zeros((8, 32, 32, 3), np.float32), "of type float32; wanted uint8 RGB, 0 to 255"),
        (torch.zeros((8, 32, 32, 3), dtype=torch.bfloat16), "of type bfloat16; wanted uint8 RGB"),
        (np.zeros((8, 32, 32, 3), object), "of type object; wanted uint8 RGB"),
        (np.full((8, 32, 32, 3), "a"), "of type <U1; wanted uint8 RGB"),
    ],
)
def test_arrays_of_another_kind_are_refused_with_the_way_out(frames, message):
    with pytest.raises(ValueError, match=message):
        brightness_classifier()(frames)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "view",
    [
        lambda frames: frames[..., ::-1],  # OpenCV's blue, green, red
        lambda frames: frames[::-1],
        lambda frames: frames[:, :, ::-1],
        lambda frames: np.frombuffer(frames.tobytes(), np.uint8).reshape(frames.shape),  # read-only
        lambda frames: frames.transpose(0, 2, 1, 3),
    ],
)
@pytest.mark.parametrize("count", [4, 20])  # a clip, and a video
def test_arrays_of_any_layout_are_taken(checkpoint, view, count):
    classifier = Classifier.from_pretrained(checkpoint)
    frames = view(np.random.default_rng(0).integers(0, 256, (count, 40, 48, 3), np.uint8))

    answer, wanted = classifier([frames, np.array(frames, order="C")], progress=False)

    np.testing.assert_allclose(answer.probabilities, wanted.probabilities, atol=1e-6)
    ours, plain = classifier.timeline(frames), classifier.timeline(np.array(frames, order="C"))
    np.testing.assert_allclose(ours.probabilities, plain.probabilities, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["codecs/hevc.mp4", "odd/variable_frame_rate.mp4", "odd/rotation_90.mov", "codecs/av1.mkv"]
)
def test_real_odd_files_have_an_answer(checkpoint, shared_videos, name):
    answer = Classifier.from_pretrained(checkpoint)(shared_videos / name)

    assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_bf16_is_close_to_fp32(checkpoint, tiny_video):
    exact = Classifier.from_pretrained(checkpoint)(tiny_video)
    half = Classifier.from_pretrained(checkpoint, precision="bf16")

    assert next(half.network.parameters()).dtype == torch.bfloat16
    np.testing.assert_allclose(half(tiny_video).probabilities, exact.probabilities, atol=0.05)


def test_answers_come_from_the_lean_form_and_are_those_of_the_network(checkpoint, tiny_video):
    classifier = Classifier.from_pretrained(checkpoint)
    clips = classifier.views(tiny_video).video

    with torch.no_grad():
        wanted = classifier.network(classifier.normalize(clips))

    assert type(classifier._compiled) is Lean
    torch.testing.assert_close(classifier.logits(clips), wanted, atol=1e-5, rtol=1e-5)


def test_compiled_gives_the_same_answer(checkpoint, tiny_video, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(self))

    classifier = Classifier.from_pretrained(checkpoint, compile=True)

    assert compiled == [classifier._compiled.network]
    assert type(compiled[0]) is Lean


def test_a_checkpoint_that_says_nothing_is_prepared_as_its_kind_is_trained():
    kinetics = preparation_of(preset("timesformer-hr"), PIXELS)
    something = preparation_of(preset("timesformer", num_classes=174), PIXELS)

    assert kinetics.natural_window(fps=25) == pytest.approx(8 * 32 / 30)  # 16x16 as 8x32, whatever the rate
    assert kinetics.image_size == 448
    assert "16 from 8.5 seconds in its middle are taken" in kinetics.assumed[0]
    assert something.sampling == UniformSampling(8)


def test_another_size_and_length_than_the_networks_are_said():
    config = preset("timesformer")
    preparation = preparation_of(config, PREPROCESSING, sampling=StrideSampling(16, 8), image_size=448)

    assert "position table is for 224x224 and is interpolated to 448x448" in preparation.assumed[0]
    assert preparation.assumed[1] == "the network was made for 8 frames and gets 16"
    with pytest.raises(ValueError, match="225 is not a multiple of patch_size=16; nearest sizes are 224 and 240"):
        preparation_of(config, PREPROCESSING, image_size=225)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_first_gpu_is_not_the_processor(checkpoint):
    with pytest.raises(ValueError, match=r"device=0: .*; take device=cpu"):
        Classifier.from_pretrained(checkpoint, device=0)


def test_a_folder_of_hugging_face_is_taken_with_its_names_pixels_and_sizes(tmp_path, tiny_video):
    transformers = pytest.importorskip("transformers")
    names = {0: "run", 1: "jump", 2: "sit"}
    config = transformers.TimesformerConfig(
        image_size=32, patch_size=16, num_frames=4, hidden_size=64, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=64, attention_type="divided_space_time", num_labels=3, id2label=names,
    )  # fmt: skip
    theirs = transformers.TimesformerForVideoClassification(config).eval()
    theirs.save_pretrained(tmp_path)
    processor = {"image_mean": [0.4] * 3, "image_std": [0.2] * 3, "size": {"shortest_edge": 40}, "crop_size": 32}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor | {"do_rescale": True}))
    classifier = Classifier.from_pretrained(tmp_path)

    answer = classifier(tiny_video)

    assert classifier.views(tiny_video).video.shape == (1, 3, 4, 32, 32)
    assert classifier.preparation.short_side == 40
    with torch.no_grad():
        clip = classifier.normalize(classifier.views(tiny_video).video.to(classifier.device)).cpu()
        wanted = theirs(clip.transpose(1, 2)).logits.softmax(-1)
    np.testing.assert_allclose(answer.probabilities, wanted[0], atol=1e-5)
    assert sorted(one.name for one in answer.top()) == ["jump", "run", "sit"]
    assert "does not say which frames to take" in str(answer)


def test_a_checkpoint_does_not_get_code_imported(tmp_path, monkeypatch):
    (tmp_path / "evil_sampling.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    stored = SamplingRule("evil_sampling.Rule")

    with pytest.raises(ValueError, match=r"evil_sampling\.Rule, which is not vidattn's own .* give sampling="):
        preparation_of(CONFIG, replace(PREPROCESSING, sampling=stored))
    assert preparation_of(CONFIG, replace(PREPROCESSING, sampling=stored), sampling=StrideSampling(4, 1)).sampling


def test_a_checkpoint_does_not_get_code_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("run").touch, ())

    torch.save({"model_state": Evil()}, tmp_path / "evil.pyth")

    with pytest.raises(WeightsError, match="holds Python objects or code"):
        Classifier.from_pretrained(tmp_path / "evil.pyth")
    assert not (tmp_path / "run").exists()


def test_what_is_no_video_is_an_error_that_names_it(checkpoint, tmp_path):
    classifier = Classifier.from_pretrained(checkpoint)
    (tmp_path / "empty").mkdir()
    for source, message in (
        (tmp_path / "nowhere" / "a.mp4", "the folder .*nowhere does not exist either"),
        (tmp_path / "empty", "no video in this folder"),
        (f"{tmp_path}/*.mp4", "no file matches"),
        (b"", "0 bytes"),
        (b"not a video" * 100, "<bytes>: cannot open it as a video"),
    ):
        with pytest.raises(VideoDecodeError, match=message):
            classifier(source)


def test_a_clip_costs_decoding_and_the_forward_pass_and_little_more(shared_videos):
    path = shared_videos / "actions" / "kinetics_sample.mp4"  # 10 seconds
    network = build_network(preset("Ti", depth=3, num_classes=10))
    preparation = preparation_of(network.config, replace(PREPROCESSING, image_size=224), StrideSampling(8, 32))
    classifier = Classifier(network, [str(i) for i in range(10)], preparation)

    (indices,) = preparation.sampling.test(VideoTimes(300, 30), 1)
    clip = classifier.normalize(classifier.views(path).video.to(classifier.device))

    @torch.inference_mode()
    def parts():
        with open_video(path) as reader:
            reader.frames(indices)
        network(clip).cpu()

    def cpu(work):
        start = time.process_time()
        work()
        return time.process_time() - start

    classifier(path)
    pairs = [(cpu(lambda: classifier(path)), cpu(parts)) for _ in range(3)]
    ratio = np.median([whole / needed for whole, needed in pairs])
    print(f"CPU time of an answer over that of decoding and the forward pass: {ratio:.3f}")
    assert ratio < 1.25


@pytest.mark.parametrize(("length", "views"), [(3, "1 view"), (12, "3 views")])
def test_views_that_would_be_the_same_are_answered_once(tmp_path, length, views):
    path = plain_video(tmp_path / "a.mp4", [30] * length)
    several = Classifier.from_pretrained(write_checkpoint(tmp_path / "a.ckpt"), num_clips=10)

    answer = several(path)

    assert f"{views} instead of 10: the others would be the same" in str(answer)
    assert answer.num_views == int(views.split()[0])
    assert ("the mean over" in str(answer)) == (answer.num_views > 1)
