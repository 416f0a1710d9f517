import os
from types import SimpleNamespace

import pytest

from vidattn.data.readers.quarantine import Quarantine
from vidattn.training.skipped import SkippedVideos


def test_what_may_pass_puts_nothing_on_the_quarantine_list(tmp_path):
    quarantine = Quarantine(tmp_path / "q.csv")
    datamodule = SimpleNamespace(quarantine=quarantine)
    trainer = SimpleNamespace(log_dir=str(tmp_path / "run"), global_rank=0, datamodule=datamodule)
    skipped = SkippedVideos()
    skipped.setup(trainer, None, "fit")
    paths = ["s3://bucket/shard-00000.tar#512+30000#dance/a.mp4", *(str(tmp_path / f"{i}.mp4") for i in range(2))]
    batch = {"skipped": [(path, "cannot read it") for path in paths], "broken": paths[:2]}  # memory was short for 1.mp4

    skipped.on_train_batch_end(trainer, None, None, batch)

    assert list(skipped.skipped) == paths
    assert len(quarantine) == 1
    assert paths[1] in quarantine.path.read_text()


@pytest.mark.filterwarnings("ignore:skipped")
def test_a_name_that_is_no_text_is_listed_as_it_is(tmp_path):
    trainer = SimpleNamespace(log_dir=str(tmp_path), global_rank=0)
    skipped = SkippedVideos()
    skipped.setup(trainer, None, "fit")

    skipped.on_train_batch_end(trainer, None, None, {"skipped": [(os.fsdecode(b"caf\xe9.mp4"), "cannot read it")]})

    assert b"caf\xe9.mp4,cannot read it" in (tmp_path / "skipped.csv").read_bytes()
