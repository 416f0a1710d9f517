import copy
import json

import pytest
from foreign_folders import HF, hf_folder, hf_model, timm_folder
from small_networks import small_model

from vidattn.checkpoints import read
from vidattn.checkpoints.foreign import Foreign
from vidattn.checkpoints.processor import preprocessing
from vidattn.checkpoints.read import read_checkpoint
from vidattn.checkpoints.renaming import WeightsError
from vidattn.classify.preparation import preparation_of

timm = pytest.importorskip("timm", reason="timm is a test dependency")
transformers = pytest.importorskip("transformers", reason="transformers is a test dependency")


def our_folder(folder):
    small_model().save_pretrained(folder)


def in_pieces(folder):
    hf_model("vit").save_pretrained(folder, max_shard_size="10KB")


FOLDERS = {
    **{kind: (lambda folder, kind=kind: hf_folder(folder, kind), "config.json") for kind in HF},
    "timm": (timm_folder, "config.json"),
    "ours": (our_folder, "config.json"),
    "pieces": (in_pieces, "model.safetensors.index.json"),
}


MISSING = object()


VALUES = [MISSING, None, [], ["a"], "text", -1, 1.5, True, {}, float("nan")]


def keys_of(values, before=()):
    """The paths of all keys in nested objects."""
    for key, value in [*values.items()][: 2 if before and before[-1] in ("id2label", "label2id") else None]:
        yield (*before, key)
        if isinstance(value, dict):
            yield from keys_of(value, (*before, key))


def edited(values, path, value):
    values = copy.deepcopy(values)
    inner = values
    for key in path[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return values


def tried(do):
    """What it gives, or None and the message of its ValueError; nothing else may come out."""
    try:
        return do(), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("name", FOLDERS)
def test_whatever_stands_under_a_key_is_read_or_refused_with_the_files_name(tmp_path, name):
    write, file = FOLDERS[name]
    write(tmp_path)
    whole = json.loads((tmp_path / file).read_text())
    refused = 0
    for path in keys_of(whole):
        for value in VALUES:
            (tmp_path / file).write_text(json.dumps(edited(whole, path, value)))
            saved, said = tried(lambda: read_checkpoint(tmp_path))
            refused += saved is None
            assert saved is not None or str(tmp_path) in said, (path, value)
            if saved is not None:
                counted = name == "ours" or len(saved.class_names) in (0, saved.config.num_classes)
                assert counted, (path, value)
                made, said = tried(lambda saved=saved: preparation_of(saved.config, saved.preprocessing))
                assert made is not None or "give" in said or "sampling" in said, (path, value)  # what to do
    assert refused


@pytest.mark.parametrize("kind", HF)
def test_whatever_stands_under_a_switch_of_a_processor_is_read_or_refused_with_the_files_name(tmp_path, kind):
    processor = getattr(transformers, HF[kind][2])()
    processor.save_pretrained(tmp_path)
    (file,) = tmp_path.iterdir()
    whole = json.loads(file.read_text())
    refused = 0
    for path in keys_of(whole):
        for value in [*VALUES, 0, 10**30, [1, 2], {"height": 8}, {"height": 8, "width": "8"}, {"longest_edge": 8}]:
            file.write_text(json.dumps(edited(whole, path, value)))
            found, said = tried(lambda: preprocessing(tmp_path, kind, read.HF_MODELS[kind][1], 224))
            refused += found is None
            assert found is not None or said.startswith(f"{file}: "), (path, value)
    assert refused


def test_a_value_is_named_with_its_file_its_key_and_what_was_wanted(tmp_path):
    about = Foreign(tmp_path / "c.json", {"inner": {"size": "x"}})

    with pytest.raises(WeightsError, match=r"c\.json: inner\.size='x'; wanted a whole number of at least 2$"):
        about.part("inner").whole("size", 8, least=2)
