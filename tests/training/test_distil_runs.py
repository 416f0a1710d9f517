"""A training with a teacher as people run it: from YAML, resumed, on two processes, priced, refused."""

import pytest
import torch
import yaml
from tiny_run import CLASSES, FSDP2, column, config, write_config

from vidattn import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.cli import main
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network
from vidattn.preprocessing import Preprocessing

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """The folder of a joint teacher of other patches and another normalisation."""
    torch.manual_seed(3)
    network = build_network(
        VideoTransformerConfig("divided", 3, num_frames=2, image_size=32, patch_size=16, embed_dim=24, depth=3,
                               num_heads=3, init_std=0.3)
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("teacher")
    Pretrained(network, CLASSES, Preprocessing(None, 32, (0.5,) * 3, (0.5,) * 3)).save_pretrained(folder)
    return folder


def taught(tiny_set, folder, teacher, processes=1, strategy="auto", **arguments):
    values = config(tiny_set, folder)
    values["trainer"] |= {"devices": processes, "strategy": strategy}
    values["model"]["network"] |= {"gradient_checkpointing": True}
    lessons = [
        {"class_path": "vidattn.training.TeachLogits", "init_args": {"temperature": 3.0}},
        {"class_path": "vidattn.training.TeachMaps", "init_args": {"weight": 10.0, "queries": 3}},
        {"class_path": "vidattn.training.TeachFeatures"},
    ]
    own = {"teacher": str(teacher), "lessons": lessons, "mixup_alpha": 0.0} | arguments
    values["model"] = {"class_path": "vidattn.Distillation", "init_args": values["model"] | own}
    values["data"] |= {"batch_size": 4 // processes, "eval_batch_size": 1, "num_test_clips": 1, "num_test_crops": 1}
    return write_config(folder / "config.yaml", values)


@pytest.fixture(scope="module")
def one(tiny_set, teacher, tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    words = ["--last_checkpoint.filename", "{epoch}", "--last_checkpoint.save_top_k", "-1"]
    main(["fit", "--config", str(taught(tiny_set, folder, teacher)), *words])
    return folder / "run_0"


def test_each_part_of_the_loss_is_logged_and_the_student_is_tested_and_read(one):
    total = column(one, "train/loss_epoch")
    parts = [column(one, f"train/{name}") for name in ("labels", "logits", "maps", "features")]
    for loss, labels, logits, maps, features in zip(total, *parts, strict=True):
        assert loss == pytest.approx(labels + logits + 10 * maps + features, rel=1e-4)
    assert len(column(one, "test/video_top1")) == 1
    loaded = load(one)
    assert loaded.config.embed_dim == 16
    assert loaded.preprocessing.mean == (0.5, 0.5, 0.5)


def test_no_weight_of_the_teacher_is_in_a_checkpoint(one):
    state = torch.load(one / "checkpoints" / "epoch=1.ckpt", weights_only=True)["state_dict"]
    assert {name.partition(".")[0] for name in state} == {"network", "comparisons"}
    assert sum(name.startswith("comparisons") for name in state) == 2  # from 16 features to 24


def test_a_resumed_run_ends_as_one_that_was_never_interrupted(one, tiny_set, teacher, tmp_path):
    first = one / "checkpoints" / "epoch=0.ckpt"
    main(["fit", "--config", str(taught(tiny_set, tmp_path, teacher)), "--ckpt_path", str(first),
          "--test_after_fit", "false"])  # fmt: skip
    check_close(tmp_path / "run_0" / "checkpoints" / "last.ckpt", one, 0.0)


@pytest.mark.parametrize("strategy", ["ddp", FSDP2], ids=["ddp", "fsdp2"])
def test_two_processes_learn_what_one_learns(one, tiny_set, teacher, tmp_path, pair, strategy):
    pair.run("fit", "--config", taught(tiny_set, tmp_path, teacher, 2, strategy), "--test_after_fit", "false")
    check_close(tmp_path / "run_0" / "checkpoints" / "last.ckpt", one, 1e-3)
    assert column(tmp_path / "run_0", "train/maps") == pytest.approx(column(one, "train/maps"), rel=1e-3)


def check_close(last, theirs, within):
    ours, wanted = (
        torch.load(path, weights_only=True)["state_dict"] for path in (last, theirs / "checkpoints" / "epoch=1.ckpt")
    )
    assert ours.keys() == wanted.keys()
    for name, weights in wanted.items():
        torch.testing.assert_close(ours[name], weights, atol=within, rtol=0, msg=name)


def test_averaged_weights_bf16_mixup_and_accumulation_go_with_a_teacher(tiny_set, teacher, tmp_path):
    made = taught(tiny_set, tmp_path, teacher, mixup_alpha=0.5, teacher_dtype="bfloat16")
    values = yaml.safe_load(made.read_text())
    averaging = {"class_path": "EMAWeightAveraging", "init_args": {"decay": 0.5}}
    values["trainer"] |= {
        "max_epochs": 1, "precision": "bf16-mixed", "accumulate_grad_batches": 2, "callbacks": [averaging],
    }  # fmt: skip
    main(["fit", "--config", str(write_config(made, values)), "--test_after_fit", "false"])
    assert 0 < column(tmp_path / "run_0", "train/maps")[0] < 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model.network.num_classes", "4"], "has 3 classes and the student 4"),
        (["--model.network.num_frames", "3"], "sees 2 frames and the student 3"),
        (["--model.teacher", "nowhere"], "nowhere"),
    ],
)
def test_a_wrong_teacher_is_refused_before_data_is_read(tiny_set, teacher, tmp_path, capsys, words, message):
    values = yaml.safe_load(taught(tiny_set, tmp_path, teacher).read_text())
    values["data"]["train"] = "no_such.csv"
    with pytest.raises(SystemExit) as end:
        main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values)), *words])
    assert end.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "no_such.csv" not in said


def test_a_teacher_of_classes_in_another_order_is_refused(tiny_set, teacher, tmp_path, capsys):
    other = load(teacher)
    other.class_names = [CLASSES[1], CLASSES[0], CLASSES[2]]
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(SystemExit):
        main(["fit", "--config", str(taught(tiny_set, tmp_path, tmp_path / "other"))])
    assert f"class 0 is {CLASSES[0]!r} in the data but {CLASSES[1]!r} to the teacher" in " ".join(
        capsys.readouterr().err.split()
    )


def test_vidattn_flops_prices_both(tiny_set, teacher, tmp_path, capsys):
    made = taught(tiny_set, tmp_path, teacher)
    main(["flops", str(made), "--json", str(tmp_path / "costs.json")])
    said = capsys.readouterr().out
    assert "teacher" in said
    rows = {row["row"]: row for row in yaml.safe_load((tmp_path / "costs.json").read_text())}
    student, own = load(teacher).network.macs(2, 32, 32).total, rows["clip"]["macs"]
    assert rows["distillation: teacher"]["macs"] == student
    assert rows["distillation: step, forward"]["macs"] == student + own
