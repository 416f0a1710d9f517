"""Keys of the data that leave out their part, as configurations of before 0.2 have them, are read as ever."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from vidattn.cli import main
from vidattn.commands.trainer import TrainerCLI
from vidattn.data.flat_keys import PART_OF, PARTS
from vidattn.data.sections import Decoding, Lists, Loading, Views

FLAT = Path(__file__).parent / "flat_configs"


def printed(capsys, *words):
    """What `vidattn fit` understands."""
    with pytest.raises(SystemExit) as end:
        main(["fit", *map(str, words), "--print_config"])
    output = capsys.readouterr()
    assert end.value.code == 0, output.err
    return output.out


def test_the_table_is_what_the_parts_are_told():
    parts = {"lists": Lists, "views": Views, "decoding": Decoding, "loading": Loading}
    assert {part: tuple(field.name for field in fields(cls) if field.init) for part, cls in parts.items()} == PARTS


@pytest.mark.parametrize("name", ["motion_divided", "fine_tune_folder"])
def test_a_configuration_of_then_says_the_same_and_is_written_in_parts(name, tmp_path, capsys):
    path = FLAT / f"{name}.yaml"
    text = printed(capsys, "--config", path)
    taken = yaml.safe_load(text)["data"]
    flat = {key: value for key, value in yaml.safe_load(path.read_text())["data"].items() if key in PART_OF}
    transforms = flat.pop("train_transforms")

    assert flat.items() <= {name: value for part in PARTS for name, value in taken[part].items()}.items()
    assert [one["class_path"] for one in taken["views"]["train_transforms"]] == [
        one["class_path"] for one in transforms
    ]
    assert not taken.keys() & PART_OF.keys()
    (tmp_path / "again.yaml").write_text(text)
    assert yaml.safe_load(printed(capsys, "--config", tmp_path / "again.yaml"))["data"] == taken


def test_both_spellings_may_follow_each_other_and_the_last_wins(tmp_path, capsys):
    (tmp_path / "data.yaml").write_text("{reader: torchcodec, num_val_clips: 2, loading: {eval_batch_size: 3}}")
    words = ["--data", tmp_path / "data.yaml", "--data.reader", "decord", "--data.loading.batch_size=32"]
    words += ["--data.batch_size=16", "--data.train", "x.csv", "--seed_everything", 5]
    data = yaml.safe_load(printed(capsys, "--config", FLAT / "motion_divided.yaml", *words))["data"]

    assert (data["decoding"]["reader"], data["views"]["num_val_clips"]) == ("decord", 2)
    assert (data["loading"]["batch_size"], data["loading"]["eval_batch_size"]) == (16, 3)
    assert data["lists"]["train"] == "x.csv"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{raeder: decord}", r"data.raeder.*; did you mean 'data\.decoding\.reader'\?"),
        ("{decoding: {raeder: decord}}", r"data.decoding.raeder.*; did you mean 'data\.decoding\.reader'\?"),
        ("{sead: 1}", r"data.sead.*; did you mean 'data\.seed'\?"),
        ("{reader: pyav, decoding: {reader: decord}}", r"data\.reader stands beside data\.decoding=.*; write it there"),
    ],
)
def test_an_unknown_key_or_one_that_stands_twice_is_refused(tmp_path, written, message):
    (tmp_path / "run.yaml").write_text(f"data: {written}")
    with pytest.raises(ValueError, match=message):
        TrainerCLI(["fit", "--config", str(FLAT / "motion_divided.yaml"), "--config", str(tmp_path / "run.yaml")])


def test_an_unknown_key_on_the_command_line_is_refused_with_the_near_one():
    with pytest.raises(ValueError, match=r"--data\.bacth_size.*; did you mean 'data\.loading\.batch_size'\?"):
        TrainerCLI(["fit", "--config", str(FLAT / "motion_divided.yaml"), "--data.bacth_size", "4"])
