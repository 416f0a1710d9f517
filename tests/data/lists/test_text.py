import pytest
from list_files import write

from vidattn.data.videos.manifest import ManifestError, read_class_names, read_manifest


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom"])
def test_marked_encodings_are_read_as_what_they_are(folder, encoding):
    data = "v0.mp4,caf\u00e9\r\nv1.mp4,\u8d70\r\n"
    data = b"\xff\xfe" + data.encode("utf-16-le") if encoding == "utf-16-le-bom" else data.encode(encoding)
    (folder / "t.csv").write_bytes(data)
    (folder / "names.txt").write_bytes("\u8d70\ncaf\u00e9\n".encode("utf-16"))

    assert read_manifest(folder / "t.csv").class_names == ["caf\u00e9", "\u8d70"]
    assert [video.label for video in read_manifest(folder / "t.csv", class_names=folder / "names.txt").videos] == [1, 0]


@pytest.mark.parametrize(
    ("encoding", "said"), [("latin-1", "not in UTF-8"), ("cp1252", "not in UTF-8"), ("utf-16-le", "UTF-16")]
)
def test_labels_in_other_encodings_are_refused_at_once(folder, encoding, said):
    with pytest.raises(ManifestError, match=rf"{said}.*save it as UTF-8"):
        read_manifest(write(folder / "t.csv", "v0.mp4,d\u00e9j\u00e0 vu", encoding=encoding))
    with pytest.raises(ManifestError, match=rf"{said}.*save it as UTF-8"):
        read_class_names(write(folder / "names.txt", "d\u00e9j\u00e0 vu", encoding=encoding))
