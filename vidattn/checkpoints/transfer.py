"""From the network that a checkpoint holds to another one: tables are resized, a head of another size is reset."""

from torch import Tensor, nn

from vidattn.checkpoints.names import fitting
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.tables import resized_map, resized_map_as_official, resized_time, resized_time_as_official
from vidattn.models.config import VideoTransformerConfig


def transferred(
    saved: Saved, network: nn.Module, config: VideoTransformerConfig, as_official: bool
) -> tuple[dict[str, Tensor], list[str]]:
    """A complete state dict for `network`, and a line for each thing in it that is not as it was saved.

    Args:
        saved: the checkpoint.
        network: the network to fill; where the checkpoint has nothing, its own weights stay.
        config: its configuration.
        as_official: resize tables as TimeSformer's code does.

    Raises:
        WeightsError: the weights do not fit.
    """
    state, report = dict(saved.state), []
    if saved.config.num_classes != config.num_classes or "head.weight" not in state:
        fresh = network.state_dict()
        old = f"{saved.config.num_classes} classes" if "head.weight" in state else "none"
        state |= {name: fresh[name] for name in ("head.weight", "head.bias")}
        report.append(f"head: reset, {old} -> {config.num_classes}")
    old_map, new_map = _map(saved.config), _map(config)
    if "position.table" in state and old_map != new_map:
        resize_map = resized_map_as_official if as_official else resized_map
        state["position.table"] = resize_map(state["position.table"], old_map, new_map)
        report.append(f"position.table: resized, {old_map} -> {new_map}, {'nearest' if as_official else 'bicubic'}")
    if "time.table" in state and saved.config.num_frames != config.num_frames:
        resize_time = resized_time_as_official if as_official else resized_time
        state["time.table"] = resize_time(state["time.table"], config.num_frames)
        how = "nearest" if as_official else "linear"
        report.append(f"time.table: resized, {saved.config.num_frames} frames -> {config.num_frames}, {how}")
    return fitting(state, network), report


def _map(config: VideoTransformerConfig) -> tuple[int, int]:
    """Rows and columns of patches."""
    return config.size[0] // config.patch_size, config.size[1] // config.patch_size
