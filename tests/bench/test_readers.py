from encode import encode_video, numbered_frames

from vidattn.bench import readers as bench_readers
from vidattn.bench.readers import Times, bench_loaders, bench_pattern, bench_views, cpu_seconds
from vidattn.bench.rivals import ours
from vidattn.data.clips.sampling import StrideSampling
from vidattn.data.videos.manifest import Video


def test_a_way_that_fails_or_returns_other_frames_is_named_and_the_rest_measured(tmp_path, tiny_video):
    other = str(encode_video(tmp_path / "b.mp4", numbered_frames(20)))

    def picky(path, indices):
        if path == other:
            raise OSError("no such codec\nstack")
        return ours(path, indices)

    def shifted(path, indices):
        return ours(path, [index + 1 for index in indices])

    times = bench_pattern(
        [str(tiny_video), other], StrideSampling(4, 2), 1, {"ours": ours, "picky": picky, "shifted": shifted}
    )

    assert times.problems == {
        "ours": {},
        "picky": {other: "no such codec"},
        "shifted": {str(tiny_video): "other frames", other: "other frames"},
    }
    assert set(times.seconds["picky"]) == {str(tiny_video)}
    assert set(times.seconds["ours"]) == {str(tiny_video), other}


def test_ratios_compare_only_videos_that_both_manage():
    times = Times({"ours": {"a": 1.0, "b": 100.0}, "other": {"a": 2.0}})
    assert times.ratio("other") == 2
    assert times.per_clip("ours") == 50.5


def test_measure_takes_turns_and_counts_cpu_time_only():
    import time

    order = []
    jobs = {
        "idle": lambda: order.append("idle") or time.sleep(0.05),
        "busy": lambda: order.append("busy") or sum(i * i for i in range(300_000)),
    }
    seconds = cpu_seconds(jobs, rounds=3)
    assert [sorted(order[i : i + 2]) for i in (0, 2, 4)] == [["busy", "idle"]] * 3
    assert seconds["busy"] > 2 * seconds["idle"]


def test_test_views_together_cost_much_less_than_one_by_one(shared_videos):
    times = bench_views([str(shared_videos / "actions" / "asl" / "eat.mkv")], 10, 1, StrideSampling(8, 4))
    assert times.ratio("each") > 3


def test_loaders_are_measured_with_their_transforms(tiny_video, monkeypatch):
    monkeypatch.setitem(bench_readers.PATTERNS, "8x32", StrideSampling(2, 2))
    speeds = bench_loaders([Video(str(tiny_video), None)], workers=0, clips=4, rounds=1, size=32, batch_size=2)
    assert {"ours", "official way"} <= set(speeds)
    assert all(speed.per_core > 0 and speed.by_clock > 0 for speed in speeds.values())


def test_pictures_that_are_cut_as_they_are_decoded_take_less_memory(tmp_path):
    path = str(encode_video(tmp_path / "a.mp4", numbered_frames(40, 240, 320)))
    kept, whole = bench_readers.views_memory(path, 5, 3, 32, StrideSampling(8, 1))
    assert whole > 40 * 240 * 320 * 3 / 1e6 * 0.9
    assert kept < whole / 10
