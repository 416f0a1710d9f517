import pytest
from list_files import labels, write

from vidattn.data.videos.manifest import ManifestError, read_manifest


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("video_path,label", "v{0}.mp4,{1}"),
        ("Path\tClass", "v{0}.mp4\t{1}"),
        ("file_name;category", "v{0}.mp4;{1}"),
        ("label,video", "{1},v{0}.mp4"),
        ("filename,label,split,fps", "v{0}.mp4,{1},train,25"),
        ("id label clip", "{0} {1} v{0}.mp4"),
        ('"video","label"', '"v{0}.mp4","{1}"'),
    ],
)
def test_common_headers_are_read(folder, header, row):
    source = write(folder / "t.csv", header, row.format(0, "dog"), row.format(1, "cat"))

    assert labels(read_manifest(source)) == [("dog",), ("cat",)]


def test_a_header_says_which_part_of_the_video_is_meant(folder):
    (video,) = read_manifest(write(folder / "t.csv", "path,start_time,end,class", "v0.mp4,1.5,3,cat")).videos

    assert (video.start, video.end, video.label) == (1.5, 3.0, 0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("path,label,split", "v0.mp4,a,train", "v1.mp4,b,val"),
            r"several splits \(train, val\); write a list",
        ),
        (("path,label,begin_ms", "v0.mp4,a,7"), "column 'begin_ms', which is not understood; call it start"),
        (("path,label,class", "v0.mp4,a,b"), "columns label and class; keep the one that is the label"),
        (("path,label,start", "v0.mp4,a,soon"), "times in seconds.*\n  line 2"),
        (("clipname,lbl", "v0.mp4,a", "v1.mp4,b"), "a header of known columns.*\n  line 1: 'clipname,lbl'"),
    ],
)
def test_a_header_that_would_be_guessed_at_is_refused(folder, lines, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(write(folder / "t.csv", *lines))
