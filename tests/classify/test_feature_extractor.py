"""A vector of each video: what the head takes, however many videos there are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from foreseen import CONFIG, brightness_classifier, plain_video, write_checkpoint

from vidattn import Classifier, load
from vidattn.classify import FeatureExtractor
from vidattn.data import VideoDecodeError


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Three plain videos, one of which is shorter than a clip, and a file that is none."""
    folder = tmp_path_factory.mktemp("videos")
    for level, length in ((30, 20), (120, 6), (220, 20)):
        plain_video(folder / f"{level}.mp4", [level] * length)
    (folder / "broken.mp4").write_bytes(b"no video" * 100)
    return folder


def seen_by_the_head(classifier, path):
    """What goes into the head of the network in a plain forward pass, the mean over the views."""
    taken = []
    hook = classifier.network.head.register_forward_hook(lambda module, args, output: taken.append(args[0]))
    with torch.no_grad():
        classifier.network(classifier.normalize(classifier.views(path).video))
    hook.remove()
    return taken[0].mean(0).numpy()


@pytest.mark.parametrize("scheme", ["divided", "space", "space>time(1)"])
def test_the_vector_is_what_the_head_takes_averaged_over_the_views(videos, tmp_path, scheme):
    config = {**CONFIG.to_dict(), "attention": scheme}
    checkpoint = write_checkpoint(tmp_path / "best.ckpt", type(CONFIG)(**config))
    classifier = Classifier.from_pretrained(checkpoint, num_clips=2, num_crops=3)

    vector = classifier.features(videos / "30.mp4")

    assert vector.shape == (classifier.network.num_features,) == (16,)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, seen_by_the_head(classifier, videos / "30.mp4"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_of_several_the_vectors_stand_in_order_and_the_broken_are_named(videos, checkpoint, batch_size):
    classifier = Classifier.from_pretrained(checkpoint, num_crops=3, batch_size=batch_size)

    found = classifier.features(videos, progress=False)

    assert [Path(path).name for path in found.paths] == ["120.mp4", "220.mp4", "30.mp4"]
    assert found.vectors.shape == (3, 16)
    for path, vector in zip(found.paths, found.vectors, strict=True):
        np.testing.assert_allclose(vector, classifier.features(path), rtol=1e-4, atol=1e-5)
    ((path, reason),) = found.skipped
    assert path.endswith("broken.mp4")
    assert "cannot open it as a video" in reason
    with pytest.raises(VideoDecodeError, match="broken"):
        classifier.features(videos / "broken.mp4")


def test_frames_as_an_array_have_features(checkpoint):
    classifier = Classifier.from_pretrained(checkpoint)
    frames = np.random.default_rng(0).integers(0, 255, (20, 48, 64, 3), dtype=np.uint8)
    assert classifier.features([frames, frames], progress=False).vectors.shape == (2, 16)
    assert classifier.features(frames).shape == (16,)


def test_weights_without_a_head_have_features(videos, checkpoint, tmp_path):
    """As a pre-training leaves them: they answer nothing, and the fresh head that they get is not asked."""
    load(checkpoint, num_classes=7).save_pretrained(tmp_path / "fresh")
    with pytest.raises(ValueError, match="has no head"):
        Classifier.from_pretrained(tmp_path / "fresh")

    extractor = FeatureExtractor.from_pretrained(tmp_path / "fresh")

    wanted = Classifier.from_pretrained(checkpoint).features(videos / "30.mp4")
    np.testing.assert_array_equal(extractor(videos / "30.mp4"), wanted)
    assert not any("head" in note for note in extractor.notes)


def test_a_network_that_is_none_of_ours_has_no_features(videos):
    with pytest.raises(ValueError, match=r"Brightness has no features to read; wanted a network of vidattn\.models"):
        brightness_classifier().features(videos / "30.mp4")
