"""A chain of two tiny trainings: pre-training without labels, then classification from its weights."""

import csv
import json

import pytest
import torch
import yaml
from tiny_run import config, write_config, write_set

from vidattn.checkpoints.read import read_checkpoint
from vidattn.cli import main
from vidattn.commands.chain import plan

pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    """`pretrain.yaml`, and `fine_tune.yaml` with a learning rate of 0, which keeps what it starts from."""
    folder = tmp_path_factory.mktemp("chain_set")
    fine = config(write_set(folder), folder / "unused")
    fine["model"]["optimizer"]["init_args"]["lr"] = 0.0
    fine["trainer"]["max_epochs"] = 1
    first = config(folder, folder / "unused")
    first["model"] = {
        "class_path": "vidattn.MaskedAutoencoder",
        "init_args": {
            "network": fine["model"]["network"],
            "mask": {"class_path": "vidattn.models.TubeMask", "init_args": {"ratio": 0.5}},
            "decoder": {"embed_dim": 16, "depth": 1, "num_heads": 2},
        },
    }
    first["data"].pop("test", None)
    return [
        write_config(folder / "pretrain.yaml", first),
        write_config(folder / "fine_tune.yaml", fine),
    ]


@pytest.fixture(scope="module")
def done(configs, tmp_path_factory):
    """Pre-training and fine-tuning, then fine-tuning alone with two seeds."""
    folder = tmp_path_factory.mktemp("chains")
    main(["chain", *map(str, configs), "--seeds", "0", "--out", str(folder)])
    main(["chain", str(configs[1]), "--seeds", "0", "1", "--out", str(folder), "--against", "fine_tune"])
    return folder


def test_a_stage_starts_from_the_weights_of_the_one_before(done):
    first, second, alone = (
        read_checkpoint(done / chain / "seed_0" / "run_0").state
        for chain in ("pretrain", "pretrain+fine_tune", "fine_tune")
    )
    name = next(name for name in second if "blocks.0" in name and "mlp" in name and name.endswith("weight"))

    assert torch.equal(second[name], first[name])
    assert not torch.equal(second[name], alone[name])


def test_the_report_holds_every_tested_training_and_the_difference(done):
    rows = list(csv.DictReader((done / "answers.csv").open()))

    assert {(row["chain"], row["seed"]) for row in rows} == {
        ("pretrain+fine_tune", "0"), ("fine_tune", "0"), ("fine_tune", "1"),
    }  # fmt: skip
    for row in rows:
        card = json.loads((done / row["chain"] / f"seed_{row['seed']}" / "run_0" / "scorecard.json").read_text())
        assert float(row["top1"]) == card["video_top1"]
        assert row["right"].count("1") / len(row["right"]) == card["video_top1"]
        assert len(row["right"]) == card["videos_evaluated"]
    table = (done / "chains.md").read_text()
    assert "| chain | top-1, 95% interval | each seed | test videos | difference, paired, 95% |" in table
    assert (done / "chains.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_done_is_not_repeated(done, configs, capsys):
    before = sorted(str(path) for path in done.glob("*/seed_*/run_*"))

    main(["chain", *map(str, configs), "--seeds", "0", "--out", str(done)])
    main(["chain", "--out", str(done)])

    assert sorted(str(path) for path in done.glob("*/seed_*/run_*")) == before
    assert "wrote chains.md" in capsys.readouterr().out


def test_a_change_is_written_over_the_configurations_that_have_the_key(configs, tmp_path):
    stages = plan(configs, [0], tmp_path, ["data.lists.test=other.csv", "trainer.max_epochs=7"])

    assert [stage.values["trainer"]["max_epochs"] for stage in stages] == [7, 7]
    assert "test" not in stages[0].values["data"]["lists"]
    assert stages[1].values["data"]["lists"]["test"] == "other.csv"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{0}", "{0}"], "configuration pretrain is given 2 times"),
        (["{0}", "--seeds", "1", "1"], "seed 1 is given 2 times; give it once"),
        (["{0}", "--set", "data.lists.tset=a.csv"], "none of the configurations has data.lists.tset"),
        (["{0}", "--set", "max_epochs"], "--set max_epochs: wanted key=value"),
        (["{0}", "{weights}"], "model.weights=a.ckpt, but it starts from the training before"),
        (["nowhere.yaml"], "nowhere.yaml"),
        (["{0}", "--threads", "0"], "threads=0"),
    ],
)
def test_wrong_words_stop_before_anything_runs(words, message, configs, tmp_path, capsys):
    values = yaml.safe_load(configs[1].read_text())
    values["model"]["weights"] = "a.ckpt"
    other = write_config(tmp_path / "weights.yaml", values)
    words = [word.format(*configs, weights=other) for word in words]
    with pytest.raises(SystemExit):
        main(["chain", *words, "--out", str(tmp_path / "out")])

    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_settings_and_unknown_chains_are_refused(done, configs, capsys):
    for words, message in (
        ([str(configs[1]), "--seeds", "0", "--set", "trainer.max_epochs=9"], "holds a run with other settings"),
        (["--against", "fine_tunes"], "no such chain was tested; did you mean 'fine_tune'?"),
    ):
        with pytest.raises(SystemExit):
            main(["chain", *words, "--out", str(done)])
        assert message in capsys.readouterr().err


def test_a_stage_behind_one_that_failed_is_not_begun(configs, tmp_path, capsys):
    words = ["--seeds", "0", "--out", str(tmp_path), "--set", "data.lists.train=gone.csv"]

    with pytest.raises(SystemExit, match=r"2 of 2 trainings failed: .*; the same command goes on with them"):
        main(["chain", *map(str, configs), *words])

    assert "pretrain seed 0: failed: data.train: gone.csv does not exist" in capsys.readouterr().out
    assert not (tmp_path / "pretrain+fine_tune" / "seed_0" / "log.txt").exists()
