"""The network that comes of a probe: the frozen one, with what was trained on its features in place of its head."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.commands.kept_features import backbone
from vidattn.commands.probe_report import Probed
from vidattn.models.network import Network
from vidattn.models.presets import build_network
from vidattn.models.readout_table import readout_named
from vidattn.models.video_transformer import VideoTransformerConfig
from vidattn.probing.attentive import FittedAttentive
from vidattn.probing.linear import FittedLinear


def save_probe(model: Pretrained, probed: Probed, class_names: Sequence[str], folder: Path) -> None:
    """Write `<folder>/model_<probe>`, and say so; neighbours make no network."""
    fitted, chosen = probed.outcome.fitted, probed.outcome.chosen
    network: Network | None = None
    if isinstance(fitted, FittedLinear):
        network = with_linear(backbone(model), fitted, chosen, len(class_names))
    elif isinstance(fitted, FittedAttentive):
        network = with_attentive(backbone(model), fitted, chosen, len(class_names))
        if network is None:
            print("the attentive probe makes no network to save: this one has a class token, which it would not have")
    if network is None:
        return
    place = folder / f"model_{probed.name}"
    report = [f"head: a {probed.name} probe ({probed.kind.settings[chosen]}) on the frozen network"]
    Pretrained(network, class_names, model.preprocessing, report, model.source).save_pretrained(place)
    print(f"wrote {place}: the network with that probe in place of its head; vidattn classify VIDEO --weights {place}")


@torch.no_grad()
def with_linear(network: Network, fitted: FittedLinear, setting: int, num_classes: int) -> Network:
    """The network, its head replaced by one of the probes."""
    weight, bias = fitted.layer(setting)
    network = network.to("cpu", torch.float32)
    network.reset_classifier(num_classes)
    network.head.weight.copy_(weight)
    network.head.bias.copy_(bias)
    return network


@torch.no_grad()
def with_attentive(network: Network, fitted: FittedAttentive, setting: int, num_classes: int) -> Network | None:
    """A network with the same backbone, and one of the probes as its read-out and head; None where the backbone would
    not be the same, as its class token has no place in it."""
    config = network.config
    if not isinstance(config, VideoTransformerConfig) or readout_named(config.pooling).num_prefix:
        return None
    readout, head = fitted.probes[setting]
    fresh = build_network(replace(config, pooling="attentive_probe", num_classes=num_classes))
    state = {name: value for name, value in network.state_dict().items() if not name.startswith(("readout.", "head."))}
    state |= {f"readout.{name}": value for name, value in readout.state_dict().items()}
    state |= {f"head.{name}": value for name, value in head.state_dict().items()}
    fresh.load_state_dict(state)
    return fresh.eval()
