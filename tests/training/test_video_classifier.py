import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from noise_run import CONFIG, batches, classifier, fit, loader, trainer
from pytorch_lightning.callbacks import EMAWeightAveraging, ModelCheckpoint
from pytorch_lightning.strategies import FSDPStrategy
from pytorch_lightning.trainer.states import TrainerFn
from torchvision.transforms import v2

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.lean import Lean
from vidattn.models.normalize import NORMALIZATIONS
from vidattn.preprocessing import Preprocessing
from vidattn.training.schedule import WarmupCosine
from vidattn.training.video_classifier import VideoClassifier

pytestmark = pytest.mark.usefixtures("one_thread")


def sgd(groups):
    return torch.optim.SGD(groups, lr=0.2)


def test_the_learning_rate_of_every_step_is_the_schedules(tmp_path):
    schedule = WarmupCosine(warmup_epochs=1, final_factor=0.1)
    _, watch = fit(tmp_path, classifier(schedule=schedule, optimizer=sgd), batches(3), max_epochs=4)

    wanted = [0.2 * schedule.factor(step / 3, 4) for step in range(12)]
    assert [rates[0] for rates in watch.rates] == pytest.approx(wanted)
    assert all(len(set(rates)) == 1 for rates in watch.rates)


@pytest.mark.parametrize(
    ("limits", "epochs"),
    [
        ({"max_epochs": None, "max_steps": 8}, 8 / 3),
        ({"max_epochs": -1, "max_steps": 6}, 2),
        ({"max_epochs": 3, "max_steps": 5}, 5 / 3),
        ({"max_epochs": 1, "max_steps": 5}, 1),
        ({"max_epochs": None, "max_steps": 3, "accumulate_grad_batches": 2}, 1 + 2 / 3),  # steps of 2, 1 and 2 batches
    ],
)
def test_the_schedule_ends_with_the_last_step_whatever_limits_the_training(tmp_path, limits, epochs):
    schedule = WarmupCosine(warmup_epochs=0.5, final_factor=0.1)
    run, watch = fit(tmp_path, classifier(schedule=schedule, optimizer=sgd), batches(3), **limits)

    batch = limits.get("accumulate_grad_batches", 1) - 1
    ends = [step / 3 for step in range(round(epochs * 3)) if step % 3 % (batch + 1) == batch or step % 3 == 2]
    assert [rates[0] for rates in watch.rates] == pytest.approx([0.2 * schedule.factor(end, epochs) for end in ends])
    assert len(watch.rates) == run.global_step


def test_a_schedule_of_a_training_limited_by_time_alone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="says when that is"):
        fit(tmp_path, classifier(schedule=WarmupCosine()), batches(1), max_epochs=None, max_time="00:00:01:00")


def test_the_first_step_is_the_plain_cross_entropy_and_its_gradient(tmp_path):
    model = classifier(optimizer=sgd)
    reference = copy.deepcopy(model)
    data = batches(1)
    _, watch = fit(tmp_path, model, data)

    mean, std = NORMALIZATIONS["timesformer"]
    video = v2.functional.normalize(data[0]["video"].transpose(1, 2) / 255, mean, std).transpose(1, 2)
    loss = F.cross_entropy(reference.network(video), data[0]["label"])
    loss.backward()
    assert watch.losses[0] == pytest.approx(loss.item(), abs=1e-6)
    weight, start = model.network.head.weight, reference.network.head.weight
    torch.testing.assert_close(weight, start - 0.2 * start.grad)


@pytest.mark.parametrize("name", list(NORMALIZATIONS))
def test_normalisation_is_torchvisions(name):
    video = batches(1)[0]["video"]
    frames = v2.functional.to_dtype(video.transpose(1, 2), torch.float32, scale=True)

    wanted = v2.Normalize(*NORMALIZATIONS[name])(frames).transpose(1, 2)

    torch.testing.assert_close(classifier(normalization=name).normalize(video), wanted, atol=1e-6, rtol=0)


def test_label_smoothing_spreads_its_share_over_all_classes(tmp_path):
    model = classifier(label_smoothing=0.3)
    data = batches(1)
    targets = 0.7 * torch.eye(3)[data[0]["label"]] + 0.1
    wanted = F.cross_entropy(model(data[0]["video"]), targets).item()
    _, watch = fit(tmp_path, model, data)

    assert watch.losses[0] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("label_smoothing", -0.5, r"label_smoothing=-0\.5 must be 0 \(none\) or more, and less than 1"),
        ("label_smoothing", 1.5, r"label_smoothing=1\.5 must be"),
        ("mixup_alpha", -1, r"mixup_alpha=-1 must be 0 \(none\) or more"),
        ("cutmix_alpha", -1, r"cutmix_alpha=-1 must be 0 \(none\) or more"),
    ],
)
def test_an_option_out_of_range_is_refused(option, value, message):
    with pytest.raises(ValueError, match=message):
        classifier(**{option: value})


def test_a_scheme_that_never_tells_the_class_token_of_the_video_is_refused_with_the_next_move():
    with pytest.raises(ValueError, match="all clips would get the same logits; take pooling=mean, or add a step"):
        VideoClassifier(VideoTransformerConfig("time+cbam", 3, 2, 16, 8, 16, 1, 2))
    VideoClassifier(VideoTransformerConfig("time+cbam", 3, 2, 16, 8, 16, 1, 2, pooling="mean"))


def test_data_with_another_number_of_classes_is_refused_with_the_next_move():
    model = classifier()
    data = SimpleNamespace(class_names=list("abcde"), preprocessing=Preprocessing(), sources={"val": None})
    model.trainer = SimpleNamespace(datamodule=data, world_size=1, ckpt_path=None)

    message = "the data has 5 classes but num_classes=3; set --model.network.num_classes 5"
    with pytest.raises(ValueError, match=message):
        model.setup("fit")


@pytest.mark.parametrize(
    ("stage", "split"),
    [
        (TrainerFn.FITTING, "val"),
        (TrainerFn.VALIDATING, "val"),
        (TrainerFn.TESTING, "test"),
        (TrainerFn.PREDICTING, "predict"),
    ],
)
def test_a_process_without_a_video_to_evaluate_is_refused_with_the_next_move(stage, split):
    model = classifier()
    data = SimpleNamespace(sources={split: "list.csv"}, num_videos=lambda split: 3, make=None)
    model.trainer = SimpleNamespace(datamodule=data, world_size=4, ckpt_path=None)

    with pytest.raises(
        ValueError, match=rf"data\.{split} has fewer videos \(3\) than there are processes \(4\).* to 3 or"
    ):
        model.setup(stage)


@pytest.mark.parametrize(("stage", "split"), [(TrainerFn.VALIDATING, "val"), (TrainerFn.TESTING, "test")])
def test_a_list_without_labels_is_named_by_its_key(stage, split):
    model = classifier()
    manifest = SimpleNamespace(labelled=False)
    data = SimpleNamespace(
        sources={split: "list.csv"}, num_videos=lambda split: 3, manifest=lambda split: manifest, make=None
    )
    model.trainer = SimpleNamespace(datamodule=data, world_size=1, ckpt_path=None)

    with pytest.raises(ValueError, match=rf"^data\.{split}=list\.csv has no labels, .* or data\.{split}=null and"):
        model.setup(stage)


def test_a_loss_that_is_not_finite_stops_and_names_step_and_clips(tmp_path):
    model = classifier()

    class Poison(pl.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if batch_idx == 2:
                pl_module.network.head.bias.data.fill_(torch.nan)

    with pytest.raises(FloatingPointError, match=r"the loss is nan at step 2 \(epoch 0\); clips: clips/2-0\.mp4, cl"):
        trainer(tmp_path, callbacks=[Poison()]).fit(model, loader(batches(3)))


def test_a_checkpoint_holds_plain_values_and_rebuilds_the_network(tmp_path):
    model = classifier()
    run, _ = fit(tmp_path, model, batches(2))
    model.class_names = ["a", "b", "c"]
    run.save_checkpoint(tmp_path / "one.ckpt")

    saved = torch.load(tmp_path / "one.ckpt", weights_only=True)["vidattn"]
    assert saved["network"]["attention"] == "divided"
    assert saved["class_names"] == ["a", "b", "c"]
    assert saved["preprocessing"]["mean"] == pytest.approx([0.45] * 3)
    network = load(tmp_path / "one.ckpt").network
    video = batches(1, seed=5)[0]["video"]
    model.eval()
    with torch.no_grad():
        assert torch.equal(network(model.normalize(video)), model(video))


def test_a_checkpoint_of_other_classes_is_refused(tmp_path):
    model = classifier()
    model.class_names = ["run", "walk", "jump"]

    with pytest.raises(
        ValueError, match=r"class 1 is 'walk' in the data but 'jump' in the checkpoint; set data\.class"
    ):
        model.on_load_checkpoint({"vidattn": {"class_names": ["run", "jump", "walk"], "preprocessing": {}}})


def test_a_compiled_network_trains_the_same_step(tmp_path):
    """How the way back is traced is another test's: tests/models/test_networks.py."""
    torch._dynamo.reset()
    data, shallow = batches(2), replace(CONFIG, depth=1)
    _, plain = fit(tmp_path, classifier(network=shallow, optimizer=sgd), data)
    model = classifier(network=shallow, optimizer=sgd)
    model.network.compile(backend="eager", fullgraph=True)  # inductor takes a minute here
    _, compiled = fit(tmp_path, model, data)

    assert compiled.losses == pytest.approx(plain.losses, abs=1e-5)


def test_compile_compiles_the_network_and_keeps_the_names(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module, **options: compiled.append(module))
    model = classifier(compile=True)

    assert compiled == [model.network]
    assert model.state_dict().keys() == classifier().state_dict().keys()


def test_bf16_trains_close_to_fp32(tmp_path):
    data = batches(2)
    _, fp32 = fit(tmp_path, classifier(optimizer=sgd), data, max_epochs=3)
    model = classifier(optimizer=sgd)
    _, bf16 = fit(tmp_path, model, data, max_epochs=3, precision="bf16-mixed")

    assert model.network.head.weight.dtype == torch.float32
    assert bf16.losses[0] == pytest.approx(fp32.losses[0], rel=0.02)
    assert bf16.losses[0] != fp32.losses[0]
    assert bf16.losses[-1] < 0.9 * bf16.losses[0]


def test_the_trainer_clips_gradients(tmp_path):
    def way(**options):
        model = classifier(optimizer=sgd)
        start = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        fit(tmp_path, model, batches(1), **options)
        return (torch.nn.utils.parameters_to_vector(model.parameters()) - start).norm().item()

    assert way() > 0.2 * 0.1
    assert way(gradient_clip_val=0.05) == pytest.approx(0.2 * 0.05, rel=1e-3)


def test_mixed_clips_have_the_loss_of_their_mixed_labels(tmp_path):
    model = classifier(mixup_alpha=0.8)
    seen = []
    model.mixing.register_forward_hook(lambda module, args, outputs: seen.append(outputs))
    reference = copy.deepcopy(model.network)
    _, watch = fit(tmp_path, model, batches(1))

    ((video, targets),) = seen
    assert targets.max() < 1
    assert watch.losses[0] == pytest.approx(F.cross_entropy(reference(video), targets).item(), abs=1e-6)


def test_validation_and_test_score_the_network(tmp_path):
    model, data = classifier(), batches(3, seed=1)
    run, _ = fit(tmp_path, model, batches(2), data)
    validated = {name: value.item() for name, value in run.callback_metrics.items()}
    (tested,) = run.test(model, loader(data), verbose=False)

    with torch.no_grad():
        logits = model.eval()(torch.cat([batch["video"] for batch in data]))
    labels = torch.cat([batch["label"] for batch in data])
    wanted = {"loss": F.cross_entropy(logits, labels), "video_top1": (logits.argmax(1) == labels).float().mean()}
    wanted |= {"clip_top1": wanted["video_top1"], "clip_top5": torch.tensor(1), "num_videos": torch.tensor(12)}
    for name, value in wanted.items():
        assert validated[f"val/{name}"] == pytest.approx(value.item(), abs=1e-5)
        assert tested[f"test/{name}"] == pytest.approx(value.item(), abs=1e-5)


def test_a_test_runs_the_lean_form_and_lets_it_go(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(Lean, "forward", lambda self, video: ran.append(len(video)) or self.network(video))
    model = classifier()
    before = list(model.state_dict())
    trainer(tmp_path).test(model, loader(batches(2)), verbose=False)

    assert ran == [4, 4]
    assert not model._answering
    assert list(model.state_dict()) == before


def test_a_batch_without_views_is_evaluated(tmp_path):
    data = batches(2)
    empty = {key: value[:0] for key, value in data[0].items()}
    (scores,) = trainer(tmp_path).test(classifier(), loader([*data, empty]), verbose=False)

    assert scores["test/num_videos"] == 8


def test_predictions_are_the_mean_of_a_videos_views():
    model = classifier().eval()
    batch = batches(1, size=5)[0]
    batch |= {"video_id": torch.tensor([4, 4, 4, 7, 7]), "path": ["x.mp4", "y.mp4"], "skipped": []}

    with torch.no_grad():
        answer = model.predict_step(batch, 0)
        views = model(batch["video"]).softmax(1)

    assert answer["path"] == ["x.mp4", "y.mp4"]
    torch.testing.assert_close(answer["probabilities"], torch.stack((views[:3].mean(0), views[3:].mean(0))))


def test_the_averaged_weights_are_validated_and_saved(tmp_path):
    """Lightning's own callback serves: after each step, the average is 0.5 average + 0.5 weights here."""
    weights = []

    class Steps(pl.Callback):
        def on_train_batch_end(self, trainer, pl_module, *_):
            weights.append(pl_module.network.head.weight.detach().clone())

        def on_validation_batch_start(self, trainer, pl_module, *_):
            self.validated = pl_module.network.head.weight.detach().clone()

    steps, model = Steps(), classifier(optimizer=sgd)
    save = ModelCheckpoint(tmp_path, filename="best", enable_version_counter=False)
    fit(tmp_path, model, batches(3), batches(1), callbacks=[EMAWeightAveraging(decay=0.5), steps, save])

    average = weights[0]  # the first step starts the average
    for step in weights[1:]:
        average = 0.5 * average + 0.5 * step
    torch.testing.assert_close(steps.validated, average)
    network = load(tmp_path / "best.ckpt").network
    torch.testing.assert_close(network.head.weight.data, average)
    torch.testing.assert_close(model.network.head.weight.data, average)  # what a test after training sees


def test_the_older_fsdp_is_refused_with_the_next_move():
    model = classifier()
    model.trainer = SimpleNamespace(strategy=FSDPStrategy())

    with pytest.raises(ValueError, match=r"fsdp is not supported, FSDP2 is: --trainer\.strategy ModelParallelStr"):
        model.configure_model()


def test_splitting_layers_over_processes_is_refused_with_the_next_move():
    model = classifier()
    model.trainer = SimpleNamespace(strategy=None)
    model._device_mesh = {"tensor_parallel": SimpleNamespace(size=lambda: 2)}

    with pytest.raises(ValueError, match=r"does not split layers .* --trainer\.strategy\.tensor_parallel_size 1"):
        model.configure_model()


@pytest.mark.parametrize(("normalization", "mean"), [(None, 0.3), ("half", 0.5)])
def test_pixels_are_normalised_as_for_the_weights_unless_told_otherwise(tmp_path, normalization, mean):
    trained = Pretrained(classifier().network, [], Preprocessing(mean=(0.3, 0.3, 0.3), std=(0.2, 0.2, 0.2)))
    trained.save_pretrained(tmp_path / "weights")

    model = classifier(normalization=normalization, weights=str(tmp_path / "weights"))
    assert model.normalize.values()["mean"] == pytest.approx([mean] * 3)

    run, _ = fit(tmp_path, model, batches(1))
    run.save_checkpoint(tmp_path / "one.ckpt")
    resumed = classifier(normalization=normalization)
    resumed.on_load_checkpoint(torch.load(tmp_path / "one.ckpt", weights_only=True))
    assert resumed.normalize.values() == model.normalize.values()
