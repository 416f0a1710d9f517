from collections import Counter

import pytest
import torch

from vidattn.data.clips.balance import ClassBalanced, Weighted
from vidattn.data.clips.order import EpochSampler
from vidattn.data.videos.manifest import Video

VIDEOS = [Video(f"{label}/{i}.mp4", label) for label, count in enumerate((60, 30, 7, 3)) for i in range(count)]


def visits(balance, videos=VIDEOS, seed=0):
    return Counter(balance.draw(videos, torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("seed", range(5))
def test_every_class_comes_as_often_and_every_video_of_a_class_too(seed):
    drawn = visits(ClassBalanced(), seed=seed)

    assert drawn.total() == len(VIDEOS)
    for label in range(4):
        members = [i for i, video in enumerate(VIDEOS) if video.label == label]
        assert abs(sum(drawn[i] for i in members) - 25) <= 1
        assert max(drawn[i] for i in members) - min(drawn[i] for i in members) <= 1


def test_power_goes_from_the_classes_as_they_are_to_equal_ones():
    roots = [n**0.5 for n in (60, 30, 7, 3)]
    drawn = visits(ClassBalanced(power=0.5))

    assert set(visits(ClassBalanced(power=0)).values()) == {1}
    for label in range(4):
        share = sum(count for i, count in drawn.items() if VIDEOS[i].label == label)
        assert share == pytest.approx(100 * roots[label] / sum(roots), abs=1)


def test_weights_are_shares_of_the_visits(tmp_path):
    weights = tmp_path / "weights.csv"
    weights.write_text("path,weight\na.mp4,3\nb.mp4,0\n")
    videos = [Video(str(tmp_path / name), None) for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4")] * 5

    drawn = Counter()
    for seed in range(30):
        drawn += Counter(
            videos[i].path[-5] for i in Weighted(str(weights)).draw(videos, torch.Generator().manual_seed(seed))
        )
    assert drawn["b"] == 0
    assert drawn["a"] / drawn.total() == pytest.approx(3 / 5, abs=0.02)
    assert drawn["c"] / drawn.total() == pytest.approx(1 / 5, abs=0.02)


def test_processes_share_a_balanced_epoch_and_repeats_are_told_apart():
    def order(generator):
        return ClassBalanced().draw(VIDEOS, generator)

    whole = list(EpochSampler(100, 1, 0, seed=4, order=order))
    parts = [list(EpochSampler(100, 2, rank, seed=4, order=order)) for rank in range(2)]

    assert [key for pair in zip(*parts, strict=True) for key in pair] == whole
    assert len(set(whole)) == 100  # no clip is drawn twice
    assert any(len(key) == 3 for key in whole)


def test_weights_name_videos_behind_urls_as_they_are(tmp_path):
    urls = [f"s3://bucket/shard-00000.tar#{512 * i}+300#{i}.mp4" for i in range(4)]
    (tmp_path / "w.csv").write_text(f"{urls[0]},1\n" + "".join(f"{url},0\n" for url in urls[1:]))

    assert visits(Weighted(str(tmp_path / "w.csv")), [Video(url, None) for url in urls]) == {0: 4}


def test_weights_of_other_videos_are_not_passed_over(tmp_path):
    weights = tmp_path / "w.csv"
    weights.write_text("path,weight\nelsewhere/a.mp4,3\nelsewhere/b.mp4,3\n")
    with pytest.raises(
        ValueError, match=r"2 of 2 paths are no videos of the list, e\.g\. .*elsewhere/a\.mp4; expected"
    ):
        visits(Weighted(str(weights)))

    with pytest.warns(UserWarning, match=r"1 of 2 paths are no videos of the list"):
        visits(Weighted(str(weights)), [Video(str(tmp_path / "elsewhere" / "a.mp4"), 0)])


def test_weights_that_a_spreadsheet_saved_are_read(tmp_path):
    (tmp_path / "w.csv").write_text("path,weight\na.mp4,0\nb.mp4,1\n", encoding="utf-8-sig")

    assert visits(Weighted(str(tmp_path / "w.csv")), [Video(f"{tmp_path}/{name}.mp4", 0) for name in "ab"]) == {1: 2}


def test_a_missing_file_of_weights_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read weights=.*gone\.csv \(.*No such file"):
        visits(Weighted(str(tmp_path / "gone.csv")))


@pytest.mark.parametrize("line", ["a.mp4", "a.mp4,-1", "a.mp4,much"])
def test_a_bad_weight_is_shown_with_its_line(tmp_path, line):
    (tmp_path / "w.csv").write_text(f"path,weight\n{line}\n")

    with pytest.raises(ValueError, match=f"line 2: '{line}'; expected `path,weight`"):
        visits(Weighted(str(tmp_path / "w.csv")))


def test_videos_without_a_class_cannot_be_balanced_by_class():
    with pytest.raises(ValueError, match=r"use vidattn\.data\.Weighted"):
        visits(ClassBalanced(), [Video("a.mp4", None)])
