"""A study of two schemes on the tiny run: what it trains, what it repeats, what it says."""

import copy
import csv
import json
from pathlib import Path

import pytest
import yaml
from tiny_run import column, config, write_config, write_set

from vidattn.cli import main
from vidattn.commands import study as module, training_folder
from vidattn.commands.study import Ticker, results, train_all
from vidattn.commands.study_plan import plan
from vidattn.data.flat_keys import nested

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A configuration for the tiny set, by the name of `tiny_base.yaml`."""
    folder = tmp_path_factory.mktemp("study_set")
    return write_config(folder / "tiny_base.yaml", config(write_set(folder), folder / "unused"))


@pytest.fixture(scope="module")
def done(base, tmp_path_factory):
    """Two schemes, two seeds; the first training of seed 1 was broken off after its first epoch."""
    folder = tmp_path_factory.mktemp("study")
    runs = plan([base], ["space", "space|time"], [0, 1], folder)

    class BrokenOff(Ticker):
        def on_train_epoch_start(self, trainer, *_):
            if trainer.current_epoch == 1 and runs[2].result is None and trainer.default_root_dir == str(broken.folder):
                raise RuntimeError("the power went off")

    broken = runs[2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Ticker", BrokenOff)
        failed = train_all(runs, folder)
    assert failed == [broken]
    assert "RuntimeError: the power went off" in (broken.folder / "log.txt").read_text()
    assert train_all(runs, folder) == []
    return runs, folder


def test_schemes_alternate_within_a_seed(done):
    runs, _ = done

    assert [(run.attention, run.seed) for run in runs] == [
        ("space", 0), ("space|time", 0), ("space", 1), ("space|time", 1),
    ]  # fmt: skip


def test_only_scheme_and_seed_differ_between_runs(done, base):
    """All else is as the configuration says, in what each run was given and in what it wrote down."""
    runs, _ = done
    wanted = nested(yaml.safe_load(base.read_text()))
    written = []
    for run in runs:
        used = yaml.safe_load((run.folder / "run_0" / "config.yaml").read_text())
        for values in (run.values, used):
            assert (values["model"]["network"]["attention"], values["seed_everything"]) == (run.attention, run.seed)
            assert values["trainer"]["default_root_dir"] == str(run.folder)
        assert like_the_first(run.values, wanted) == wanted
        written.append(like_the_first(used, wanted))
    assert all(one == written[0] for one in written)


def like_the_first(values, wanted):
    """The values with the scheme, the seed and the folder of `wanted`."""
    values = copy.deepcopy(values)
    values["model"]["network"]["attention"] = wanted["model"]["network"]["attention"]
    values["seed_everything"] = wanted["seed_everything"]
    values["trainer"]["default_root_dir"] = wanted["trainer"]["default_root_dir"]
    return values


def test_what_broke_off_goes_on_and_what_is_done_is_not_repeated(done):
    runs, _ = done

    tries = [sorted(path.name for path in run.folder.glob("run_*")) for run in runs]

    assert tries == [["run_0"], ["run_0"], ["run_0", "run_1"], ["run_0"]]
    assert len(column(runs[2].folder / "run_0", "val/video_top1")) == 1  # the epoch before the end
    assert len(column(runs[2].folder / "run_1", "val/video_top1")) == 1  # and the one after it


def test_the_report_holds_each_runs_own_scorecard(done):
    runs, folder = done

    rows = list(csv.DictReader((folder / "runs.csv").open()))

    cards = [max(run.folder.glob("run_*/scorecard.json")) for run in runs]
    assert [float(row["video_top1"]) for row in rows] == [json.loads(card.read_text())["video_top1"] for card in cards]
    (space, split) = json.loads((folder / "study.json").read_text())
    assert (space["attention"], split["attention"]) == ("space", "space|time")
    assert space["seeds"] == 2
    assert space["macs"] == json.loads(cards[0].read_text())["macs_per_clip"]
    assert space["top1"] == pytest.approx(sum(row["video_top1"] for row in results(runs)[::2]) / 2)
    assert "| tiny | `space\\|time` |" in (folder / "study.md").read_text()
    assert (folder / "study.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_of_another_recipe_is_refused(done, base):
    _, folder = done

    with pytest.raises(ValueError, match=r"seed_0 holds a run with other settings; choose another --out"):
        plan([base], ["space"], [0], folder, epochs=7)


def test_a_finished_study_only_reports(done, base, capsys):
    _, folder = done

    main(["study", "space", "space|time", "--config", str(base), "--seeds", "0", "1", "--out", str(folder)])

    assert "wrote study.md" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sapce"], "did you mean 'space'"),
        (["space", "--config", "nowhere.yaml"], r"nowhere\.yaml does not exist"),
        (["space", "space"], "'space' is the scheme 'space' once more; give each scheme once"),
        (["divided", "joint", "time+space"], "'time+space' is the scheme 'divided' once more"),
        (["space", "--seeds", "0", "1", "0"], "seed 0 is given 2 times"),
        (["space", "--threads", "0"], "threads=0 must be at least 1"),
        (["space", "--epochs", "0"], "epochs=0 must be at least 1"),
        (["space", "--config", "{broken}"], "broken.yaml: is no YAML"),
        (["space", "--config", "{empty}"], "empty.yaml: has no model.network"),
        (["space", "--config", "{folder}"], "Is a directory"),
    ],
)
def test_wrong_words_stop_before_anything_runs(words, message, base, tmp_path, capsys):
    (tmp_path / "broken.yaml").write_text("model: [")
    (tmp_path / "empty.yaml").write_text("model:\n")
    files = {name: str(tmp_path / f"{name}.yaml") for name in ("broken", "empty")} | {"folder": str(tmp_path)}
    words = [word.format(**files) for word in words]
    defaults = [] if "--config" in words else ["--config", str(base)]
    with pytest.raises(SystemExit):
        main(["study", *words, *defaults, "--out", str(tmp_path / "new")])
    assert message.replace("\\", "") in capsys.readouterr().err
    assert not Path(tmp_path / "new").exists()


@pytest.mark.parametrize("card", [{"accuracy": 0.5}, {"video_top1": None}])
def test_a_run_whose_test_has_no_top_1_has_failed_and_the_others_go_on(base, tmp_path, monkeypatch, card):
    runs = plan([base], ["space", "joint"], [0], tmp_path)

    def trained(words, callbacks):
        folder = Path(words[2]).parent / "run_0"
        folder.mkdir()
        (folder / "scorecard.json").write_text(json.dumps(card))

    monkeypatch.setattr(training_folder, "TrainerCLI", trained)

    assert train_all(runs, tmp_path) == runs
