import pytest

from vidattn.data.boxes.box_list import BoxList
from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.clips.sampling import VideoTimes
from vidattn.data.lists.row import ManifestError
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake


def row(video="/d/a.mp4", label="jump", **more):
    return BoxRow("line 2", video, (0.0, 0.0, 0.5, 1.0), label, **({"frame": 0} | more))


def never(video):
    raise AssertionError(f"{video.path} was opened")


def test_classes_are_the_sorted_labels_the_lists_own_names_or_the_given_ones():
    rows = [row(label="run"), row(label="jump", frame=1)]
    assert BoxList.of("b.csv", [BoxListing(rows)]).class_names == ["jump", "run"]
    assert BoxList.of("b.csv", [BoxListing(rows, ["run", "jump", "sit"])]).class_names == ["run", "jump", "sit"]
    assert BoxList.of("b.csv", [BoxListing(rows)], ["jump", "run"]).class_names == ["jump", "run"]
    assert BoxList.of("b.csv", [BoxListing([row(label="2")])]).class_names == ["0", "1", "2"]


def test_an_unknown_label_is_shown_with_the_nearest_name():
    with pytest.raises(ManifestError, match=r"one of 1 class as label; did you mean 'jump'"):
        BoxList.of("b.csv", [BoxListing([row(label="jmp")])], ["jump"])


def test_a_video_is_found_by_its_path_or_by_the_end_of_it_that_names_it():
    boxes = BoxList.of("b.csv", [BoxListing([row("/d/a.mp4"), row("run/x"), row("y.mp4"), row("-5KQ66BBWC4")])])

    assert boxes.key("/d/a.mp4") == "/d/a.mp4"
    assert boxes.key("/e/a.mp4") is None  # another file of that name
    assert boxes.key("/e/run/x.avi") == "run/x"
    assert boxes.key("/e/jump/x.avi") is None
    assert boxes.key("/e/y.mp4") == "y.mp4"
    assert boxes.key("/ava/-5KQ66BBWC4.mkv") == "-5KQ66BBWC4"


def test_a_file_is_opened_for_seconds_and_pixels_alone():
    times = VideoTimes(10, fps=2)
    rows = [row(second=1.6, frame=None), row("/d/p.mp4", size=None), row("/d/f.mp4", size=(2.0, 4.0))]
    boxes = BoxList.of("b.csv", [BoxListing(rows)])
    opened = []

    def facts(video):
        opened.append(video.path)
        return times, (10, 20)

    assert boxes.of_video(Video("/d/a.mp4", None), facts).frames.tolist() == [3]
    assert boxes.of_video(Video("/d/p.mp4", None), facts).boxes[0].tolist() == pytest.approx([0, 0, 0.05, 0.05])
    assert opened == ["/d/a.mp4", "/d/p.mp4"]
    assert boxes.of_video(Video("/d/f.mp4", None), never).boxes[0].tolist() == [0, 0, 0.25, 0.25]
    assert len(boxes.of_video(Video("/d/unlisted.mp4", None), never).frames) == 0


def test_videos_without_boxes_are_said_and_lists_that_share_none_are_refused():
    boxes = BoxList.of("b.csv", [BoxListing([row("/d/a.mp4")], videos=["/d/empty.mp4"])])

    assert boxes.check_matches("data.train", [Video("/d/a.mp4", None)]) == ""
    said = boxes.check_matches("data.train", [Video("/d/a.mp4", None), Video("/d/c.mp4", None)])
    assert said == "b.csv: 1 of 2 videos of data.train have no box: /d/c.mp4 ..."
    assert boxes.check_matches("data.val", [Video("/d/empty.mp4", None)])  # known to be empty
    with pytest.raises(Mistake, match=r"none of 1 video of data.val is in it; it has boxes for /d/a.mp4"):
        boxes.check_matches("data.val", [Video("/e/a.mp4", None)])
