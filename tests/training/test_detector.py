"""The task on batches made by hand; tests/training/test_detector_runs.py has it as people run it."""

import warnings
from dataclasses import replace

import pytest
import torch

from vidattn import ActionDetector, VideoTransformerConfig
from vidattn.data.boxes.people import People
from vidattn.mistakes import Mistake
from vidattn.models import DenseCross, OneAction, Queries, SeveralActions
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.models.plain_parts import part_of, plain

NETWORK = VideoTransformerConfig(
    attention="divided", num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=16, depth=1, num_heads=2
)
SMALL = Queries(num_queries=4, embed_dim=16, depth=2, num_heads=2)


def task(network=NETWORK, queries=SMALL, **options):
    torch.manual_seed(0)
    made = ActionDetector(network, queries, **options)
    made.logged = {}
    made.log = lambda name, value, **_: made.logged.__setitem__(name, value)
    made.log_dict = lambda values, **_: made.logged.update(values)
    made._trainer = type("NoTrainer", (), {"current_epoch": 0, "datamodule": None})()
    return made


def batch(*counts, several=False):
    people = []
    for count in counts:
        corner = torch.rand(count, 4, 2) * 0.5
        boxes = torch.cat((corner, corner + 0.3), dim=-1)
        actions = torch.eye(3)[torch.arange(count) % 3]
        people.append(
            People(boxes, torch.ones(count, 4, dtype=torch.bool), actions.roll(1, 1) + actions if several else actions)
        )
    video = torch.randint(0, 255, (len(counts), 3, 4, 32, 32), dtype=torch.uint8)
    number = torch.arange(len(counts))
    return {"video": video, "people": people, "video_id": number, "view": 0 * number, "path": ["a.mp4"] * len(counts),
            "frames": torch.arange(4).expand(len(counts), -1)}  # fmt: skip


NETWORKS = {
    "divided": NETWORK,
    "space": VideoTransformerConfig(
        attention="space", num_classes=3, num_frames=4, image_size=32, patch_size=8, embed_dim=16, depth=1, num_heads=2
    ),
    "stages": HierarchicalConfig(
        attention="window(2)", num_classes=3, num_frames=4, image_size=32, widths=(16, 32), depths=(1, 1),
        num_heads=(2, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["one", "several"])
@pytest.mark.parametrize("counts", [(2, 1), (0, 2), (0, 0)], ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_batch_teaches_every_parameter_a_finite_amount(name, counts, kind):
    """Also without anybody: a process whose clips are empty must not leave a gradient out that others wait for."""
    several = kind == "several"
    ours = task(NETWORKS[name], actions=SeveralActions() if several else OneAction())
    loss = ours.training_step(batch(*counts, several=several), 0)
    loss.backward()
    assert loss.isfinite()
    for name, parameter in ours.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


def test_more_people_than_queries_are_said_once_with_the_number():
    ours = task()
    with pytest.warns(UserWarning, match=r"7 people and the decoder 4 queries, so that 3 .*num_queries to 7"):
        ours.training_step(batch(7, 1), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.training_step(batch(9, 1), 0)


def test_people_of_several_actions_want_another_kind_of_actions():
    with pytest.raises(Mistake, match=r"2 actions at once, and model.actions is OneAction; set it to .*SeveralActions"):
        task().training_step(batch(1, several=True), 0)


def test_more_asked_frames_than_the_clip_has_are_refused_at_once():
    with pytest.raises(Mistake, match="asked on 5 frames of a clip of 4"):
        task(queries=Queries(num_boxes=5))


def test_the_decoder_of_another_detector_is_taken_over_as_far_as_it_fits(tmp_path, caplog):
    ours = task()
    saved = {"state_dict": ours.state_dict()}
    ours.on_save_checkpoint(saved)
    torch.save(saved, tmp_path / "one.ckpt")
    with caplog.at_level("INFO"):
        other = task(replace(NETWORK, num_classes=5), weights=str(tmp_path / "one.ckpt"))
    assert "actions.bias, actions.weight start fresh" in caplog.text
    own = ours.decoder.state_dict()
    for name, value in other.decoder.state_dict().items():
        assert name.startswith("actions.") or value.equal(own[name]), name


def test_a_checkpoint_says_what_its_decoder_is_made_of(tmp_path):
    ours = task(queries=Queries(4, 2, 16, 1, 2, cross=DenseCross()), actions=SeveralActions(weight=2.0))
    saved = {"state_dict": ours.state_dict()}
    ours.on_save_checkpoint(saved)
    torch.save(saved, tmp_path / "one.ckpt")
    held = torch.load(tmp_path / "one.ckpt", weights_only=True)["vidattn"]["detector"]
    assert part_of(Queries, held["queries"], "queries") == ours.queries
    assert part_of(SeveralActions, held["actions"], "actions") == ours.actions
    with pytest.raises(Mistake, match="queries is a OneAction; wanted a Queries"):
        part_of(Queries, plain(OneAction()), "queries")


def test_it_says_what_a_clip_costs():
    network, decoder = task().macs(4, 32, 32)
    assert network.total > 0
    assert decoder == task().decoder.macs(NETWORK.native_grid)


def test_in_half_precision_it_learns_finite_amounts():
    ours = task()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = ours.training_step(batch(2, 1), 0)
    loss.backward()
    assert loss.dtype == torch.float32
    assert all(one.grad.isfinite().all() for one in ours.parameters() if one.requires_grad)


class Data:
    """What a task asks of a datamodule."""

    boxes, target, class_names, sources = object(), None, ["a", "b"], {}
    sampling = type("Sampling", (), {"num_frames": 4})()


def test_another_number_of_actions_is_refused_and_the_data_is_told_what_is_asked():
    ours, data = task(), Data()
    ours._trainer.datamodule = data
    with pytest.raises(Mistake, match="2 classes but num_classes=3"):
        ours.setup("fit")
    assert data.asked == [2]


def test_key_frames_know_one_frame_of_a_clip_alone():
    ours, data = task(queries=replace(SMALL, num_boxes=2)), Data()
    data.boxes = type("Boxes", (), {"section": type("Section", (), {"key_frames": True})()})()
    ours._trainer.datamodule = data
    with pytest.raises(Mistake, match=r"know the middle frame .*num_boxes=2 asks on 2 of them; set it to 1"):
        ours.setup("fit")
