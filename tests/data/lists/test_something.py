import json

import pytest
from list_files import files, seen, write

from vidattn.data.videos.manifest import ManifestError, Video, read_manifest


def test_the_answers_to_something_something_name_the_test_videos(tmp_path):
    files(tmp_path, "1420.webm")

    manifest = read_manifest(write(tmp_path / "test-answers.csv", "1420;Throwing something"))

    assert seen(manifest, tmp_path) == [("1420.webm", "Throwing something")]


def test_a_template_that_is_no_text_is_shown(tmp_path):
    source = write(
        tmp_path / "train.json", '[{"id": "7", "template": "Holding [something]"}, {"id": "8", "template": 5}]'
    )

    with pytest.raises(ManifestError, match=r"1 bad row, .*\n  entry 2: {'id': '8', 'template': 5}"):
        read_manifest(source)


def test_something_something_labels_are_templates_without_brackets(tmp_path):
    (tmp_path / "78687.webm").touch()
    entry = {"id": "78687", "label": "holding potato", "template": "Holding [something]", "placeholders": ["potato"]}
    names = write(tmp_path / "labels.json", json.dumps({"Holding something": "1", "Throwing something": "0"}))

    manifest = read_manifest(write(tmp_path / "train.json", json.dumps([entry])), class_names=names)

    assert manifest.videos == [Video(str(tmp_path / "78687.webm"), 1)]
    assert manifest.class_names == ["Throwing something", "Holding something"]
