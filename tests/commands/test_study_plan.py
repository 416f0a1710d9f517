"""What a study plans, and refuses, before anything trains."""

import pytest
import yaml
from tiny_run import config, write_config

from vidattn.commands.study_plan import plan, scores_of


@pytest.fixture
def base(tmp_path):
    """A configuration whose videos nobody opens."""
    return write_config(tmp_path / "base" / "tiny_base.yaml", config(tmp_path / "videos", tmp_path / "unused"))


def test_runs_stand_seed_by_seed_in_folders_of_their_own(base, tmp_path):
    runs = plan([base], ["space", "space>time(1)"], [0, 1], tmp_path / "new")

    assert [(run.seed, run.attention) for run in runs] == [
        (seed, scheme) for seed in (0, 1) for scheme in ("space", "space>time(1)")
    ]
    assert runs[3].folder == tmp_path / "new" / "tiny" / "space%3Etime(1)" / "seed_1"
    assert runs[3].result is runs[3].last_checkpoint is None


def test_what_an_objective_of_someone_elses_measures_is_asked():
    assert "mAP" in scores_of("vidattn.training.MultiLabel")
    assert scores_of("no.such.Objective") == ("video_top1",)


def test_a_configuration_without_a_trainer_has_its_defaults(base, tmp_path):
    values = yaml.safe_load(base.read_text())
    del values["trainer"]
    path = tmp_path / "tiny_base.yaml"
    path.write_text(yaml.safe_dump(values))

    (run,) = plan([path], ["space"], [0], tmp_path / "new", epochs=1)

    assert run.values["trainer"]["max_epochs"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"test": None}}, r"tiny_base\.yaml: has no test split, .*; set data\.test"),
        ({"test_after_fit": False}, r"tiny_base\.yaml: test_after_fit is false, .*; set it to true"),
        ({"model": {"objective": "MultiLabel"}}, r"model\.objective=MultiLabel has no top-1, .*training\.OneLabel"),
        (
            {"model": {"objective": {"class_path": "vidattn.training.MultiLabel"}}},
            r"model\.objective=vidattn\.training\.MultiLabel has no top-1",
        ),
    ],
)
def test_a_configuration_without_a_top_1_in_the_test_is_refused_before_it_trains(base, tmp_path, changes, message):
    values = yaml.safe_load(base.read_text())
    for key, change in changes.items():
        values[key] = values[key] | change if isinstance(change, dict) else change
    path = write_config(tmp_path / "tiny_base.yaml", values)

    with pytest.raises(ValueError, match=message):
        plan([path], ["space"], [0], tmp_path / "new")


def test_a_set_that_is_made_has_a_test_split(base, tmp_path):
    values = yaml.safe_load(base.read_text())
    del values["data"]["test"]
    values["data"]["make"] = {"class_path": "vidattn.data.MotionSet"}

    assert plan([write_config(tmp_path / "tiny_base.yaml", values)], ["space"], [0], tmp_path / "new")
