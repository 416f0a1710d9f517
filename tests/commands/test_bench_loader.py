import pytest
from encode import encode_video, numbered_frames

from vidattn.cli import main
from vidattn.data.readers import open_video


def test_the_table_names_every_way_and_the_bottleneck(tmp_path, tiny_video, capsys):
    (tmp_path / "a.mp4").write_bytes(tiny_video.read_bytes())
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 100)
    encode_video(tmp_path / "b.mkv", numbered_frames(30))

    main(["bench-loader", str(tmp_path), "--rounds=1", "--clips=2", "--workers=0", "--model_clips_per_second=1000000"])

    output = capsys.readouterr().out
    assert "mean of 2 videos" in output
    for name in ("8x32", "16x4", "32x2", "uniform 8", "ours", "sequential", "official way"):
        assert name in output
    assert "left out" in output
    assert "broken.mp4" in output
    assert "10 test views of a video" in output
    assert "decoding will be the bottleneck" in output


def test_no_readable_video_is_an_error(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(SystemExit, match="no video there can be read; vidattn check"):
        main(["bench-loader", str(tmp_path)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shards/shards.json"], "shards/shards.json holds shards, which the other readers do not read; give videos"),
        (["train.txt"], "train.txt lists folders of pictures, which the other readers do not read; give video files"),
        (["train.txt", "--videos=0"], "videos=0 must be 1 or more"),
        (["train.txt", "--rounds=0"], "rounds=0 must be 1 or more"),
        (["train.txt", "--model=Q"], "preset 'Q' is unknown"),
        (["train.txt", "--model_clips_per_second=0"], "model_clips_per_second=0.0 must be more than 0"),
    ],
)
def test_what_cannot_be_timed_is_told_in_a_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v").mkdir()
    (tmp_path / "train.txt").write_text("v 5 0\n")
    with pytest.raises(SystemExit) as exit:
        main(["bench-loader", *words])
    assert exit.value.code == 2
    assert f"vidattn bench-loader: {message}" in capsys.readouterr().err


def test_a_video_that_opens_but_does_not_decode_is_left_out(tmp_path, capsys):
    faststart = {"movflags": "faststart"}
    path = encode_video(tmp_path / "a.mp4", numbered_frames(30), options={"g": "5"}, container_options=faststart)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3] + bytes(len(data) - len(data) * 2 // 3))
    open_video(path).close()

    with pytest.raises(SystemExit, match="no video there can be read"):
        main(["bench-loader", str(path)])
    assert "left out" in capsys.readouterr().out
