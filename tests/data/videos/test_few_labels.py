from itertools import pairwise

import pytest

from vidattn.data import FewLabels, VideoDataModule
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.videos.manifest import Manifest, ManifestError, Video

LIST = Manifest(
    [Video(f"{label}{number}.mp4", label) for number in range(6) for label in range(3)] + [Video("rare.mp4", 3)],
    ["a", "b", "c", "rare"],
    "train.csv",
)


def test_so_many_of_each_class_in_the_order_of_the_list():
    few = FewLabels(per_class=2).of(LIST)

    labels = [video.label for video in few.videos]
    assert {label: labels.count(label) for label in range(4)} == {0: 2, 1: 2, 2: 2, 3: 1}
    assert [video for video in LIST.videos if video in few.videos] == few.videos
    assert few.class_names == LIST.class_names


def test_fewer_are_among_more_and_draws_differ():
    draws = [set(FewLabels(count, draw=5).of(LIST).videos) for count in (1, 2, 4, 100)]

    assert all(fewer < more for fewer, more in pairwise(draws))
    assert draws[-1] == set(LIST.videos)
    assert len({tuple(FewLabels(2, draw).of(LIST).videos) for draw in range(5)}) > 1


def test_a_data_module_trains_on_them_and_judges_on_all():
    data = VideoDataModule(StrideSampling(2, 1), train=LIST, val=LIST, few_labels=FewLabels(1))

    assert (data.num_videos("train"), data.num_videos("val")) == (4, 19)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (
            Manifest([Video("a.mp4", None)], [], "all.csv"),
            "all.csv: few_labels draws .* the list has videos without a label",
        ),
        (Manifest([Video("a.mp4", None, (0, 1))], ["a", "b"], "m.csv", multi_label=True), "with several labels"),
    ],
)
def test_a_list_without_classes_is_refused(manifest, message):
    with pytest.raises(ManifestError, match=message):
        FewLabels(1).of(manifest)


def test_no_videos_at_all_are_no_few():
    with pytest.raises(ValueError, match="per_class=0 must be at least 1"):
        FewLabels(0)
