import io
import json
import shutil
import tarfile
from pathlib import Path

import fsspec
import pytest
import torch
import two_loaders
from encode import encode_video, frame_number, numbered_frames
from forked import Forked
from two_loaders import SIZE, datamodule

from vidattn.cli import main
from vidattn.data.clips.dataset import TestViews
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.datamodule import VideoDataModule
from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video
from vidattn.data.videos.identity import identity
from vidattn.data.videos.manifest import ManifestError, Video, read_manifest
from vidattn.data.videos.members import Member
from vidattn.data.videos.shards import by_bytes, by_count, read_shards, write_shards

NAMES = ["dance", "jump"]
COUNT = 25  # odd: two processes cannot share them evenly


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    """25 videos whose first frame tells 10 times their number, in shards of uneven length; label: odd or even."""
    root = tmp_path_factory.mktemp("files")
    videos = []
    for number in range(COUNT):
        path = root / NAMES[number % 2] / f"{number}.mp4"
        path.parent.mkdir(exist_ok=True)
        pixels = numbered_frames(6 if number < 12 else 3, SIZE, SIZE, first=10 * number)
        encode_video(path, pixels, options={"preset": "ultrafast"})
        videos.append(Video(str(path), number % 2))
    folder = tmp_path_factory.mktemp("shards")
    write_shards(folder, by_bytes(videos, 15_000), NAMES, root)
    return folder


def numbers(data: VideoDataModule) -> list[int]:
    """What the pixels of an epoch's clips say: the number of each video."""
    return [
        frame_number(clip[:, 0].permute(1, 2, 0).numpy()) // 10
        for batch in data.train_dataloader()
        for clip in batch["video"]
    ]


def test_shards_hold_each_video_once_with_its_class(shards):
    manifest = read_shards(str(shards / "shards.json"))

    assert len(list(shards.glob("*.tar"))) > 2
    assert manifest.class_names == NAMES
    assert len(manifest.videos) == COUNT
    for number, video in enumerate(manifest.videos):
        assert video.path.endswith(f"#{NAMES[number % 2]}/{number}.mp4")
        assert video.label == number % 2
        with open_video(video.path) as opened:
            assert frame_number(opened.frames([1])[0].numpy()) == 10 * number + 1
            assert opened.path == video.path


def test_tars_without_an_index_are_read_by_their_headers(shards):
    indexed = read_shards(str(shards / "shards.json")).videos
    scanned = read_shards(str(shards / "shard-*.tar"))

    assert scanned.class_names == ["0", "1"]
    for ours, theirs in zip(indexed, scanned.videos, strict=True):
        assert ours.label == theirs.label
        assert Member.parse(ours.path)[:3] == Member.parse(theirs.path)[:3]


def test_a_range_of_tars_is_read_as_a_shell_would(shards):
    last = len(list(shards.glob("*.tar"))) - 1
    ranged = read_shards(f"{shards}/shard-{{00000..{last:05d}}}.tar")

    assert ranged.videos == read_shards(str(shards / "shard-*.tar")).videos
    with pytest.raises(ManifestError, match=rf"No such file.*shard-{last + 1:05d}\.tar"):
        read_shards(f"{shards}/shard-{{00000..{last + 1:05d}}}.tar")


def test_the_folder_of_shards_names_what_to_give(shards):
    with pytest.raises(ManifestError, match=rf"holds shards; give {shards}/shards\.json"):
        read_manifest(shards)


def test_shards_are_what_tar_and_webdataset_expect(shards):
    with tarfile.open(shards / "shard-00000.tar") as tar:
        names = tar.getnames()
        known = json.load(tar.extractfile("00000000.json"))
    assert names[:3] == ["00000000.mp4", "00000000.cls", "00000000.json"]
    assert known == {"label": 0, "path": "dance/0.mp4", "classes": ["dance"]}


@pytest.mark.parametrize(
    ("sizes", "count", "numbers"),
    [
        ([1] * 12, 8, [2, 1, 2, 1, 2, 1, 2, 1]),
        ([100, 1, 1, 1], 3, [1, 2, 1]),
        ([1, 1, 1, 100], 3, [2, 1, 1]),
        ([1, 1, 8, 2, 8], 2, [3, 2]),
        ([5, 5], 3, [1, 1]),
    ],
)
def test_there_are_as_many_shards_as_asked_and_they_are_alike(tmp_path, sizes, count, numbers):
    videos = [Video(str(tmp_path / f"{place}.mp4"), None) for place in range(len(sizes))]
    for video, size in zip(videos, sizes, strict=True):
        Path(video.path).write_bytes(b"x" * size)

    shards = by_count(videos, count)
    assert [len(shard) for shard in shards] == numbers
    assert [video for shard in shards for video in shard] == videos


def test_the_same_videos_make_the_same_shards(shards, tmp_path):
    manifest = read_shards(str(shards / "shards.json"))
    for video in manifest.videos:
        member = Member.parse(video.path)
        (tmp_path / member.name).parent.mkdir(exist_ok=True)
        (tmp_path / member.name).write_bytes(member.read())
    videos = [Video(str(tmp_path / Member.parse(video.path).name), video.label) for video in manifest.videos]
    again = write_shards(tmp_path / "again", by_bytes(videos, 15_000), NAMES, tmp_path)
    for path in again:
        assert path.read_bytes() == (shards / path.name).read_bytes()


@pytest.mark.parametrize("url", ["memory://k400/", "file://{folder}/"])
def test_training_reads_shards_from_any_url(shards, url):
    url = url.format(folder=shards)
    if url.startswith("memory"):
        fsspec.filesystem("memory").put(f"{shards}/", "/k400/", recursive=True)

    for source in (f"{url}shards.json", f"{url}shard-*.tar"):
        assert sorted(numbers(datamodule(source))) == sorted(numbers(datamodule(str(shards / "shards.json"))))


def test_an_epoch_holds_every_video_once_in_another_order_each_time(shards):
    data = datamodule(str(shards / "shards.json"), batch_size=1, shuffle_buffer=8)
    first = numbers(data)

    assert sorted(first) == list(range(COUNT))
    data.train_dataloader().sampler.set_epoch(1)
    loader = data.train_dataloader()
    loader.sampler.set_epoch(1)
    second = [batch["video_id"].item() for batch in loader]
    assert sorted(second) == list(range(COUNT))
    assert first != second
    assert numbers(datamodule(str(shards / "shards.json"), batch_size=1, shuffle_buffer=8)) == first


def test_classes_of_the_training_list_number_those_of_the_shards(shards):
    videos = read_shards(str(shards / "shards.json"), ["hop", "jump", "dance"]).videos
    assert [video.label for video in videos[:2]] == [2, 1]
    with pytest.raises(ManifestError, match="'dance' is none of the 1 known class; known are jump"):
        read_shards(str(shards / "shards.json"), ["jump"])


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_shards_are_multi_label_where_the_run_is(shards, split):
    source = str(shards / "shards.json")
    data = datamodule(source, val=source, test=source, multi_label=True)

    manifest = data.manifest(split)
    assert manifest.multi_label
    assert [(video.label, video.labels) for video in manifest.videos[:2]] == [(None, (0,)), (None, (1,))]
    batch = next(iter(getattr(data, f"{split}_dataloader")()))
    assert batch["label"].shape == (len(batch["video"]), 2)
    assert batch["label"].sum(1).eq(1).all()


def test_one_class_among_videos_with_several_counts(shards, tmp_path):
    file = Member.parse(read_shards(str(shards / "shards.json")).videos[0].path)
    (tmp_path / "a.mp4").write_bytes(file.read())
    videos = [Video(str(tmp_path / "a.mp4"), 1), Video(str(tmp_path / "a.mp4"), None, labels=(0, 1))]
    write_shards(tmp_path / "out", [[*videos, Video(str(tmp_path / "a.mp4"), None)]], NAMES, tmp_path)

    read = read_shards(str(tmp_path / "out" / "shards.json")).videos
    assert [(video.label, video.labels) for video in read] == [(None, (1,)), (None, (0, 1)), (None, ())]


def test_shards_serve_evaluation_too(shards):
    views = TestViews(read_shards(str(shards / "shards.json")).videos, StrideSampling(2, 1), 2, 1, SIZE)
    assert [frame_number(view[:, 0].permute(1, 2, 0).numpy()) for view in views[7]["video"]] == [70, 74]


def test_a_shard_at_home_is_known_by_its_file(shards, monkeypatch):
    monkeypatch.setenv("HOME", str(shards.parent))

    for name in ("shards.json", "shard-*.tar"):
        video = read_shards(f"~/{shards.name}/{name}").videos[0]
        assert video.path.startswith(f"{shards}/shard-00000.tar#")
        assert identity(video.path) is not None


def test_a_shard_that_is_called_like_a_pattern_is_found(shards, tmp_path):
    folder = tmp_path / "set [v2]"
    shutil.copytree(shards, folder)

    one = read_shards(f"{folder}/shard-00000.tar").videos
    assert one[0].path.startswith(f"{folder}/shard-00000.tar#")
    assert len(read_shards(f"{folder}/shard-{{00000..00001}}.tar").videos) > len(one)


def test_what_is_wrong_with_shards_is_said(shards, tmp_path):
    with pytest.raises(ManifestError, match=r"gone/shards\.json: cannot read these shards \(FileNotFoundError"):
        read_shards(str(tmp_path / "gone" / "shards.json"))
    (tmp_path / "shards.json").write_text("[]")
    with pytest.raises(ManifestError, match=r"cannot read these shards \(TypeError"):
        read_shards(str(tmp_path / "shards.json"))
    (tmp_path / "noise.tar").write_bytes(b"no tar at all" * 1000)
    with pytest.raises(ManifestError, match="or uncompressed tar files"):
        read_shards(str(tmp_path / "noise.tar"))
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    with pytest.raises(ManifestError, match="hold no videos"):
        read_shards(str(tmp_path / "empty.tar"))

    shutil.copytree(shards, tmp_path / "cut")
    cut = tmp_path / "cut" / "shard-00000.tar"
    cut.write_bytes(cut.read_bytes()[:2000])
    video = read_shards(str(tmp_path / "cut" / "shards.json")).videos[0]
    with pytest.raises(VideoDecodeError, match=r"dance/0\.mp4: the shard ends after \d+ of these bytes; copy it again"):
        open_video(video.path)
    cut.unlink()
    with pytest.raises(VideoDecodeError, match=r"cannot read the shard \(FileNotFoundError.*check its address"):
        open_video(video.path)


@pytest.mark.parametrize(
    ("known", "label", "start"),
    [
        ({"labels": ["dog"], "start": 1}, None, 1),
        ({"label": 1, "labels": 3, "start": "0:01"}, 1, None),
        ({"label": "dog", "start": 0.5, "end_frame": 1.5}, None, 0.5),
        (["dog"], None, None),
    ],
)
def test_only_numbers_count_in_the_json_of_others(tmp_path, known, label, start):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in (("a.mp4", b"video"), ("a.json", json.dumps(known).encode())):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))

    (video,) = read_shards(str(tmp_path / "a.tar")).videos
    assert (video.label, video.labels, video.start, video.end_frame) == (label, (), start, None)


def test_two_processes_with_two_workers_see_every_video_once_and_resume(shards, tmp_path):
    words = [two_loaders.__file__, shards / "shards.json", tmp_path / "meeting", 2]
    running = [Forked(*words, rank) for rank in range(2)]
    outputs = [process.communicate(timeout=250)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(outputs)
    line = next(line for line in outputs[0].splitlines() if line.startswith("SEEN"))
    first, second = json.loads(line.removeprefix("SEEN "))
    assert len(first) == len(second) == 6  # steps of two videos; 25 = 2 x 12 and one that is left to another epoch
    seen = [video for batch in first + second for video in batch]
    assert len(seen) == len(set(seen)) == 24


@pytest.fixture
def damaged(shards, tmp_path) -> tuple[str, Member]:
    """A copy of the shards, and the one video in it that is overwritten."""
    shutil.copytree(shards, tmp_path / "damaged")
    source = str(tmp_path / "damaged" / "shards.json")
    member = Member.parse(read_shards(source).videos[0].path)
    with open(member.shard, "r+b") as stream:
        stream.seek(member.offset)
        stream.write(b"\0" * member.size)
    return source, member


def test_a_shard_with_a_broken_video_trains_on(damaged):
    source, member = damaged

    with pytest.raises(VideoDecodeError, match=r"dance/0\.mp4: cannot open it as a video"):
        numbers(datamodule(source))
    batches = list(datamodule(source, on_error="skip", batch_size=1).train_dataloader())
    assert [path for batch in batches for path, _ in batch["skipped"]] == [str(member)]
    assert torch.cat([batch["label"] for batch in batches]).shape == (COUNT,)


@pytest.mark.parametrize("url", ["{}", "file://{}"])
def test_check_goes_through_shards_and_training_leaves_out_what_it_found(damaged, tmp_path, url, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    source, member = damaged
    source = url.format(source)
    main(["check", source, "--out", str(tmp_path / "out"), "--workers", "0", "--min-frames", "3"])

    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["usable"] == COUNT - 1
    bad = next(entry["path"] for entry in report["files"] if entry["problems"] == ["unreadable"])
    assert Member.parse(bad).name == member.name
    assert all(entry["size"] == Member.parse(entry["path"]).size for entry in report["files"])
    assert "shard-00000.tar: dance/0.mp4" in capsys.readouterr().out
    quarantined = datamodule(source, quarantine=str(tmp_path / "out" / "quarantine.csv"), batch_size=1)
    (skipped,) = [skip for batch in quarantined.train_dataloader() for skip in batch["skipped"]]
    assert skipped[0] == bad
    assert "on the quarantine list" in skipped[1]


def test_a_member_is_read_back_whatever_its_name():
    member = Member("a b.tar", 512, 20, "b/new\nline#1.mp4")
    assert Member.parse(str(member)) == member
