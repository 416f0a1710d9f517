import errno
import os
from functools import partial

import av
import numpy as np
import pytest
import torch
from encode import encode_video, frame_number, numbered_frames
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from vidattn.data.clips.balance import Weighted
from vidattn.data.clips.dataset import TestViews, TrainClips
from vidattn.data.clips.items import collate
from vidattn.data.clips.sampling import StrideSampling, UniformSampling
from vidattn.data.errors import DecoderKilledError, VideoDecodeError
from vidattn.data.readers import opening
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.videos.manifest import Video

SIZE = 64


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Six numbered videos, 64 x 64 and one 64 x 96, and one file that is no video."""
    folder = tmp_path_factory.mktemp("clips")
    for name in range(5):
        encode_video(folder / f"{name}.mp4", numbered_frames(40, SIZE, SIZE, first=100 * name), options={"g": "12"})
    encode_video(folder / "wide.mp4", numbered_frames(40, SIZE, 96), options={"g": "12"})
    (folder / "broken.mp4").write_bytes(b"not a video at all" * 50)
    return folder


@pytest.fixture
def videos(folder):
    return [Video(str(folder / f"{name}.mp4"), label=name % 2) for name in range(5)]


@pytest.fixture
def broken(folder):
    return Video(str(folder / "broken.mp4"), label=1)


def decoded(video):
    """The oracle: every frame of the file in FFmpeg's order, `(N, 3, H, W)`."""
    with av.open(video.path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)


def numbers(view):
    """The number of each frame in a view `(3, T, S, S)`."""
    return [frame_number(image) for image in view.permute(1, 2, 3, 0).numpy()]


def train_clips(videos, transforms=(), **options):
    return TrainClips(videos, StrideSampling(4, 3), transforms, SIZE, **options)


def test_a_training_item_is_the_clip_that_the_rule_picked(videos):
    item = train_clips(videos)[2]

    first, *others = numbers(item["video"][0])
    assert 200 <= first <= 230
    assert others == [first + 3, first + 6, first + 9]
    assert item["video"].dtype == torch.uint8
    assert torch.equal(item["video"][0], decoded(videos[2])[first - 200 : first - 190 : 3].transpose(0, 1))
    assert item["label"].tolist() == [0]
    assert item["video_id"].tolist() == [2]
    assert item["view"].tolist() == [0]
    assert item["path"] == [videos[2].path]
    assert item["skipped"] == []


def test_what_is_drawn_follows_from_seed_epoch_and_index_alone(videos):
    transforms = [v2.RandomResizedCrop(SIZE, antialias=True), v2.ColorJitter(0.3)]
    torch.manual_seed(0)
    first = train_clips(videos, transforms, seed=1)[7, 3]["video"]
    torch.manual_seed(99)
    dataset = train_clips(videos, transforms, seed=1)
    dataset[7, 2]
    assert torch.equal(dataset[7, 3]["video"], first)

    assert not torch.equal(dataset[8, 3]["video"], first)
    assert not torch.equal(train_clips(videos, transforms, seed=2)[7, 3]["video"], first)
    assert torch.equal(dataset[0, 3]["video"], dataset[3]["video"])


def test_another_visit_in_the_same_epoch_is_another_clip(videos):
    dataset = train_clips(videos, [v2.RandomResizedCrop(SIZE, antialias=True)])

    assert not torch.equal(dataset[3, 1, 1]["video"], dataset[3, 1]["video"])
    assert torch.equal(dataset[3, 1, 1]["video"], dataset[3, 1, 1]["video"])


def asked_for(monkeypatch):
    """The frames of each call that a reader will have been asked for."""
    asked = []
    frames = opening.PyAVReader.frames
    monkeypatch.setattr(
        opening.PyAVReader,
        "frames",
        lambda reader, indices, *keep: asked.append(list(indices)) or frames(reader, indices, *keep),
    )
    return asked


def test_several_clips_of_a_video_share_one_decoding(videos, monkeypatch):
    asked = asked_for(monkeypatch)
    item = train_clips(videos, [v2.RandomHorizontalFlip(0.0)], clips_per_video=3)[5, 2]

    clips = [numbers(view) for view in item["video"]]
    assert [clip == [clip[0] + 3 * i for i in range(4)] for clip in clips] == [True] * 3
    assert len({clip[0] for clip in clips}) > 1
    assert asked == [sorted({number - 200 for clip in clips for number in clip})]
    assert item["view"].tolist() == [0, 1, 2]
    assert item["label"].tolist() == [0, 0, 0]
    assert item["path"] == [videos[2].path]
    assert torch.equal(train_clips(videos)[5, 2]["video"][0], item["video"][0])  # the first is what it would be alone


def test_an_item_leaves_the_global_generator_alone(videos):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    train_clips(videos, [v2.RandomResizedCrop(SIZE, antialias=True)])[1]

    assert torch.equal(torch.rand(3), expected)


def test_workers_change_nothing(videos, broken):
    dataset = train_clips([*videos, broken], [v2.RandomCrop(SIZE, padding=4)], on_error="skip")
    alone, workers = (
        list(DataLoader(dataset, batch_size=4, collate_fn=collate, num_workers=count)) for count in (0, 2)
    )

    for one, other in zip(alone, workers, strict=True):
        assert torch.equal(one["video"], other["video"])
        assert torch.equal(one["video_id"], other["video_id"])
        assert one["skipped"] == other["skipped"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_started_in_either_way_decode_under_the_watchdog(videos, method):
    dataset = train_clips(videos, opener=VideoOpener(timeout=60))
    loader = DataLoader(dataset, 5, collate_fn=collate, num_workers=1, multiprocessing_context=method)

    (batch,) = loader
    assert torch.equal(batch["video"], collate([train_clips(videos)[index] for index in range(5)])["video"])


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts files in /proc")
def test_no_file_stays_open_whether_it_decodes_or_not(videos, broken):
    dataset = train_clips([*videos, broken], on_error="skip")
    dataset[5], dataset[0]
    before = sorted(os.listdir("/proc/self/fd"))
    for epoch in range(3):
        for index in range(6):
            dataset[epoch, index]

    assert sorted(os.listdir("/proc/self/fd")) == before


class ShortOf:
    """Opens videos where something is missing: memory, or files that may be open."""

    def __init__(self, error):
        self.error = error

    def __call__(self, video):
        raise self.error


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "Too many open files"), DecoderKilledError("0.mp4", "killed, memory is short")]
)
def test_a_video_is_not_called_broken_for_what_the_machine_is_short_of(videos, error):
    views = TestViews(videos, StrideSampling(4, 1), 1, 1, SIZE, ShortOf(error), on_error="skip")

    batch = collate([views[0], views[1]])

    assert [path for path, _ in batch["skipped"]] == [video.path for video in videos[:2]]
    assert batch["broken"] == []


def test_a_broken_training_video_is_replaced_and_reported(videos, broken):
    dataset = train_clips([broken, *videos], on_error="skip")
    item = dataset[0]

    assert [path for path, _ in item["skipped"]] == item["broken"] == [broken.path]
    assert item["skipped"][0][1]
    assert item["video"].shape == (1, 3, 4, SIZE, SIZE)
    index = item["video_id"].item()
    assert item["path"] == [dataset.videos[index].path]
    assert item["label"].item() == dataset.videos[index].label
    assert numbers(item["video"][0])[0] // 100 == index - 1
    assert len({dataset[epoch, 0]["video_id"].item() for epoch in range(20)}) > 2


def test_a_balanced_epoch_replaces_a_broken_video_by_what_it_holds(videos, broken, tmp_path):
    weights = tmp_path / "weights.csv"
    weights.write_text("".join(f"{video.path},{int(i == 3)}\n" for i, video in enumerate(videos)))
    videos = [broken, *videos]
    dataset = train_clips(videos, on_error="skip", order=partial(Weighted(str(weights)).draw, videos))
    items = [dataset[epoch, 0] for epoch in range(10)]

    assert {item["video_id"].item() for item in items} == {4}  # the others weigh 0, and the broken one is of no use
    assert torch.equal(dataset[7, 0]["video"], items[7]["video"])


def test_training_gives_up_where_nothing_decodes(broken):
    with pytest.raises(VideoDecodeError, match=r"broken\.mp4.*19 videos tried before it"):
        train_clips([broken], on_error="skip")[0]


@pytest.mark.parametrize(
    "build",
    [
        lambda videos: train_clips(videos),
        lambda videos: TestViews(videos, StrideSampling(4, 3), 1, 1, SIZE),
    ],
    ids=["train", "test"],
)
def test_by_default_a_broken_or_missing_video_stops_the_run_and_is_named(build, broken):
    for video in [broken, Video("nowhere/gone.mp4", 0)]:
        with pytest.raises(VideoDecodeError, match=rf"{video.path}: .*set on_error: skip"):
            build([video])[0]


def test_views_are_ordered_clip_by_clip_and_hold_the_exact_frames(folder):
    video = Video(str(folder / "wide.mp4"), None)
    item = TestViews([video], StrideSampling(4, 3), num_clips=2, num_crops=3, image_size=SIZE)[0]

    frames = decoded(video)
    expected = [
        frames[[start, start + 3, start + 6, start + 9]][..., left : left + SIZE].transpose(0, 1)
        for start in (0, 30)
        for left in (0, 16, 32)
    ]
    assert torch.equal(item["video"], torch.stack(expected))
    assert item["view"].tolist() == [0, 1, 2, 3, 4, 5]
    assert item["video_id"].tolist() == [0] * 6
    assert item["label"].tolist() == [-1] * 6


def test_all_views_share_one_decoding_of_each_frame(videos, monkeypatch):
    asked = asked_for(monkeypatch)
    item = TestViews(videos, StrideSampling(4, 9), num_clips=5, num_crops=1, image_size=SIZE)[1]

    starts = [0, 3, 6, 9, 12]
    assert [numbers(view) for view in item["video"]] == [[100 + start + 9 * i for i in range(4)] for start in starts]
    assert asked == [sorted({start + 9 * i for start in starts for i in range(4)})]


def test_a_broken_test_video_has_no_views_and_is_reported(videos, broken):
    dataset = TestViews([videos[0], broken, videos[1]], UniformSampling(4), 2, 1, SIZE, on_error="skip")
    batch = collate([dataset[index] for index in range(3)])

    assert batch["video_id"].tolist() == [0, 0, 2, 2]
    assert batch["video"].shape == (4, 3, 4, SIZE, SIZE)
    assert batch["path"] == [videos[0].path, videos[1].path]
    assert [path for path, _ in batch["skipped"]] == [broken.path]


def test_a_batch_of_broken_videos_is_empty_but_shaped(broken):
    batch = collate([TestViews([broken], UniformSampling(4), 1, 3, SIZE, on_error="skip")[0]] * 2)

    assert batch["video"].shape == (0, 3, 4, SIZE, SIZE)
    assert batch["video"].dtype == torch.uint8
    for key in ["label", "video_id", "view"]:
        assert batch[key].shape == (0,)
        assert batch[key].dtype == torch.int64
    assert batch["path"] == []
    assert len(batch["skipped"]) == 2


def test_a_segment_bounds_every_clip(videos):
    segment = Video(videos[3].path, 0, start=0.5, end=1.0)  # frames 15 to 29 at 30 a second
    dataset = train_clips([segment])

    drawn = {number for epoch in range(20) for number in numbers(dataset[epoch, 0]["video"][0])}
    assert min(drawn) == 315
    assert max(drawn) == 329
    views = TestViews([segment], StrideSampling(4, 3), 2, 1, SIZE)[0]["video"]
    assert [numbers(view) for view in views] == [[315, 318, 321, 324], [320, 323, 326, 329]]


def test_a_segment_outside_its_file_counts_as_a_broken_video(videos):
    outside = Video(videos[3].path, 0, start=60.0, end=70.0)

    with pytest.raises(VideoDecodeError, match=r"3\.mp4: no frame in the segment from 60.0 to 70.0"):
        train_clips([outside])[0]
    assert train_clips([outside, *videos], on_error="skip")[0]["skipped"][0][0] == videos[3].path


def test_skipping_hides_no_mistakes_in_code(videos):
    class Wrong:
        num_frames = 4

        def train(self, video, generator):
            raise ZeroDivisionError

        def test(self, video, num_clips):
            return [[0, 1, 2, 1000]]

    with pytest.raises(ZeroDivisionError):
        TrainClips(videos, Wrong(), [], SIZE, on_error="skip")[0]
    with pytest.raises(IndexError, match=r"0\.mp4"):
        TestViews(videos, Wrong(), 1, 1, SIZE, on_error="skip")[0]


def test_transforms_that_do_not_end_at_the_image_size_are_an_error(folder):
    with pytest.raises(
        ValueError, match=r"left 3x64x96 but image_size=64 needs 3x64x64; end them with RandomCrop\(64\)"
    ):
        train_clips([Video(str(folder / "wide.mp4"), 0)])[0]


def test_views_that_would_be_the_same_are_there_once(folder):
    frames = [numbered_frames(12, SIZE, width) for width in (SIZE, 80)]
    square, wide = (encode_video(folder / f"{name}.mp4", one) for name, one in zip("sw", frames, strict=True))
    videos = [Video(str(square), 0), Video(str(wide), 0)]

    views = TestViews(videos, StrideSampling(4, 4), num_clips=10, num_crops=3, image_size=SIZE)  # longer than the video
    assert [len(views[number]["video"]) for number in (0, 1)] == [1, 3]
    assert [len(value) for value in views[1].values() if isinstance(value, torch.Tensor)] == [3] * 4

    views = TestViews(videos, StrideSampling(4, 3), num_clips=10, num_crops=3, image_size=SIZE)  # three places
    item = views[1]
    assert len(item["video"]) == 9
    assert len({view.numpy().tobytes() for view in item["video"]}) == 9
