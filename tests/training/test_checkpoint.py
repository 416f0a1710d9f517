"""What a run keeps: the best that was asked for, and its last weights."""

from types import SimpleNamespace

import pytest
import torch
from tiny_run import config, write_config

from vidattn.cli import main
from vidattn.training.checkpoint import Checkpoint

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": "val/mAP"}, "monitor=val/mAP is not measured here; choose one of val/loss, val/clip_top1, "),
        ({"monitor": "val/loss"}, "monitor=val/loss with checkpoint.mode=max keeps the worst; add checkpoint.mode=min"),
        ({"save_top_k": 2}, "save_top_k=2 keeps several files, and checkpoint.filename=best is one name for all"),
        ({"save_top_k": -1}, "save_top_k=-1 keeps several files"),
    ],
)
def test_what_would_not_keep_the_best_is_refused_before_training(tiny_set, tmp_path, capsys, options, message):
    path = write_config(tmp_path / "c.yaml", config(tiny_set, tmp_path) | {"checkpoint": options})

    with pytest.raises(SystemExit) as exit:
        main(["fit", "--config", str(path)])

    assert exit.value.code == 2
    assert f"vidattn fit: checkpoint.{message}" in capsys.readouterr().err
    assert not (tmp_path / "run_0").exists()


def test_several_best_checkpoints_have_names_of_their_own(tiny_set, tmp_path):
    values = config(tiny_set, tmp_path) | {"test_after_fit": False}
    values["checkpoint"] = {"monitor": "val/loss", "mode": "min", "save_top_k": 2, "filename": "best-{epoch}"}

    main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])

    names = sorted(path.name for path in (tmp_path / "run_0" / "checkpoints").iterdir())
    assert names == ["best-epoch=0.ckpt", "best-epoch=1.ckpt", "last.ckpt"]


@pytest.mark.parametrize(
    ("mode", "scores", "kept"),
    [("max", [0.5, 0.9, 0.9, 0.8, 0.9], 4), ("min", [0.5, 0.2, 0.2, 0.3], 2), ("max", [0.9, 0.5], 0)],
)
def test_of_equal_scores_the_latest_is_kept(tmp_path, mode, scores, kept):
    """Of a small validation set many are equal, and the first to reach the best has learnt least."""
    written = []

    def save(path, weights_only=False, **_):
        written.append((step, path))

    one_process = SimpleNamespace(
        reduce_boolean_decision=lambda decision, all=True: decision, remove_checkpoint=lambda path: None
    )
    trainer = SimpleNamespace(strategy=one_process, save_checkpoint=save, callback_metrics={}, is_global_zero=True)
    trainer.fast_dev_run, trainer.loggers = False, []
    best = Checkpoint(tmp_path, "best", "val/video_top1", mode=mode, enable_version_counter=False)
    for step, score in enumerate(scores):
        trainer.current_epoch = trainer.global_step = step
        best._save_topk_checkpoint(trainer, {"val/video_top1": torch.tensor(score)})

    assert written[-1] == (kept, str(tmp_path / "best.ckpt"))
    assert best.best_model_score == scores[kept]


def test_the_last_weights_are_kept_where_the_training_ends_without_a_validation(tiny_set, tmp_path):
    values = config(tiny_set, tmp_path) | {"test_after_fit": False}
    values["trainer"] |= {"check_val_every_n_epoch": 5}

    main(["fit", "--config", str(write_config(tmp_path / "c.yaml", values))])

    saved = torch.load(tmp_path / "run_0" / "checkpoints" / "last.ckpt", weights_only=True)
    assert (saved["epoch"], saved["global_step"]) == (1, 6)
