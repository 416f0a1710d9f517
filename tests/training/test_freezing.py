from dataclasses import replace

import pytest
import pytorch_lightning as pl
import torch
from noise_run import CONFIG, batches, classifier, fit, loader, trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from vidattn.models.presets import build_network
from vidattn.training.freezing import FrozenBackbone
from vidattn.training.schedule import WarmupCosine

pytestmark = pytest.mark.usefixtures("one_thread")
ATTENTIVE = replace(CONFIG, pooling="attentive")


def adamw(groups):
    return torch.optim.AdamW(groups, lr=0.01, weight_decay=0.5)


def model(network=ATTENTIVE, **options):
    """All parameters random: a layer at zero hides others from the gradient."""
    made = classifier(network=network, optimizer=adamw, **options)
    torch.manual_seed(1)
    for parameter in made.network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def weights(module):
    named = module.network.named_parameters()
    return {name: parameter.detach().clone() for name, parameter in named if parameter.numel()}  # a prefix may be none


def moved(before, module):
    after = weights(module)
    return {name for name in before if not torch.equal(after[name], before[name])}


def end_of(network):
    ours = {id(parameter) for part in network.ends() for parameter in part.parameters()}
    return {name for name, parameter in network.named_parameters() if id(parameter) in ours}


@pytest.mark.parametrize(
    ("attention", "pooling", "parts"),
    [
        ("divided", "attentive", {"readout", "norm", "head"}),
        ("divided", "class_token", {"norm", "head"}),
        ("space", "mean", {"norm", "head"}),
        ("space>time(1)", "attentive", {"temporal.readout", "temporal.norm", "head"}),
    ],
)
def test_only_readout_last_norm_and_head_move(tmp_path, attention, pooling, parts):
    module = model(replace(CONFIG, attention=attention, pooling=pooling))
    before = weights(module)

    fit(tmp_path, module, batches(3), callbacks=[FrozenBackbone()], max_epochs=2)

    ends = {name for name in before if name.startswith(tuple(f"{part}." for part in parts))}
    assert moved(before, module) == ends


def test_the_backbone_moves_from_the_given_epoch_on(tmp_path):
    frozen, thawed = model(), model()
    before = weights(frozen)

    fit(tmp_path, frozen, batches(3), callbacks=[FrozenBackbone(epochs=2)], max_epochs=2)
    fit(tmp_path, thawed, batches(3), callbacks=[FrozenBackbone(epochs=2)], max_epochs=3)

    assert moved(before, frozen) == end_of(frozen.network)
    assert moved(before, thawed) == set(before)


def test_layers_that_start_equal_are_thawed_alike(tmp_path):
    module = classifier(network=ATTENTIVE, optimizer=adamw)  # as it is made: biases and temporal layers at zero
    before = weights(module)

    fit(tmp_path, module, batches(3), callbacks=[FrozenBackbone(epochs=1)], max_epochs=4)

    assert moved(before, module) == set(before)


def test_the_backbone_has_its_own_learning_rate_and_decay_stays_where_it_was(tmp_path):
    module = model(schedule=WarmupCosine())
    run, watch = fit(tmp_path, module, batches(2), callbacks=[FrozenBackbone(epochs=1, backbone_lr=0.2)], max_epochs=2)

    assert watch.rates[0] == pytest.approx([0.002, 0.002, 0.01, 0.01])
    assert watch.rates[2] == pytest.approx([0.001, 0.001, 0.005, 0.005])  # the middle of the cosine
    names = {id(parameter): name for name, parameter in module.network.named_parameters()}
    groups = [{names[id(p)] for p in group["params"]} for group in run.optimizers[0].param_groups]
    assert [group["weight_decay"] for group in run.optimizers[0].param_groups] == [0.5, 0, 0.5, 0]
    assert groups[2] | groups[3] == end_of(module.network)
    assert "blocks.0.mlp.fc1.weight" in groups[0]
    assert "blocks.0.mlp_norm.weight" in groups[1]
    assert sum(map(len, groups)) == len(names)


def test_what_is_frozen_drops_nothing(tmp_path):
    losses = []
    for rate in (0.0, 0.5):
        module = model(replace(ATTENTIVE, dropout=rate, drop_path=rate))
        losses.append(fit(tmp_path, module, batches(2), callbacks=[FrozenBackbone(epochs=1)], max_epochs=2)[1].losses)
    assert losses[0][:2] == losses[1][:2]
    assert losses[0][2] != losses[1][2]


DROPPED = replace(ATTENTIVE, dropout=0.2)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Three steps an epoch, thawed after the second epoch: data, the module at its end, and a checkpoint a step."""
    folder, whole = tmp_path_factory.mktemp("whole"), model(DROPPED)
    data = batches(1) * 3  # this loader cannot tell where it was
    keep = ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1)
    fit(folder, whole, data, callbacks=[FrozenBackbone(epochs=2), keep], max_epochs=3)
    return data, whole, folder


@pytest.mark.parametrize("step", [2, 3, 4, 5, 6, 8])
def test_a_resumed_run_ends_as_the_uninterrupted_one(tmp_path, uninterrupted, step):
    """Within and at the end of each epoch."""
    data, whole, folder = uninterrupted

    resumed = model(DROPPED)
    run = trainer(tmp_path, callbacks=[FrozenBackbone(epochs=2)], max_epochs=3)
    run.fit(resumed, loader(data), ckpt_path=folder / f"step={step}.ckpt")

    assert run.global_step == 9
    assert not moved(weights(whole), resumed)


def test_ddp_is_told_that_parameters_may_be_unused():
    module = model()
    ddp = pl.Trainer(accelerator="cpu", devices=2, strategy="ddp", logger=False)
    with pytest.raises(ValueError, match="ddp_find_unused_parameters_true"):
        FrozenBackbone(epochs=1).setup(ddp, module, "fit")
    FrozenBackbone().setup(ddp, module, "fit")
    lenient = pl.Trainer(accelerator="cpu", devices=2, strategy="ddp_find_unused_parameters_true", logger=False)
    FrozenBackbone(epochs=1).setup(lenient, module, "fit")


@pytest.mark.parametrize(("options", "message"), [({"epochs": 0}, "epochs=0"), ({"backbone_lr": 0.0}, "backbone_lr=0")])
def test_useless_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FrozenBackbone(**options)


def test_a_probe_of_the_published_size_trains_a_block_and_a_head():
    with torch.device("meta"):
        network = build_network(replace(CONFIG, pooling="attentive", embed_dim=768, num_heads=12, num_classes=400))
    count = sum(parameter.numel() for part in network.ends() for parameter in part.parameters())
    d = 768
    block = d + 2 * d + (2 * d * d + 2 * d) + 2 * d + (8 * d * d + 5 * d)  # query, norm, keys and values, norm, MLP
    assert count == block + 2 * d + (400 * d + 400)
