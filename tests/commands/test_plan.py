import json

import pytest

from vidattn.cli import main

WORDS = ["--videos=240k", "--seconds=10", "--gpus=64", "--network=Ti", "--epochs=15", "--frames=8", "--size=32"]


def test_a_plan_is_printed_written_and_drawn(tmp_path, capsys):
    files = [f"--json={tmp_path / 'plan.json'}", f"--out={tmp_path / 'plan.png'}"]
    main(["plan", *WORDS, "--storage-gbps=1", "--price-per-gpu-hour=2", *files])
    printed, written = capsys.readouterr().out, json.loads((tmp_path / "plan.json").read_text())
    assert "storage binds: --storage-gbps" in printed
    assert "--mfu" in printed
    assert written["bottleneck"] == "storage"
    assert "storage_gbps" not in written["assumed"]
    assert written["epoch_seconds"] == pytest.approx(240_000 * 10 * 80e3 * 8 / 1e9, rel=0.01)
    assert written["price"] == pytest.approx(2 * written["gpu_hours"])
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")


def test_pretraining_is_priced_by_what_the_mask_leaves(tmp_path):
    costs = []
    for words in ([], ["--pretraining"]):
        main(
            [
                "plan",
                *WORDS,
                "--network=videomae-s",
                "--frames=16",
                "--size=96",
                *words,
                f"--json={tmp_path / 'plan.json'}",
            ]
        )
        costs.append(json.loads((tmp_path / "plan.json").read_text())["job"]["cost"])
    assert costs[1]["pretraining"]
    assert costs[1]["macs"] < costs[0]["macs"] / 2
    assert costs[1]["trained"] < costs[1]["parameters"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gpus=0"], "'0' is no whole number"),
        (["--seconds=-3"], "'-3' is no number above 0"),
        (["--videos=240x"], "write it as 240000, 240k or 1.5M"),
        (["--mfu=35"], "'35' is no share"),
        (["--network=timesfomer"], "did you mean 'timesformer'"),
        (["--out=plan.txt"], "plan.txt must end in .png"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(words, message, capsys):
    with pytest.raises(SystemExit) as left:
        main(["plan", *WORDS, *words])
    assert left.value.code == 2
    assert message in capsys.readouterr().err
