"""Whether a checkpoint to go on from is of the network that is asked for."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from vidattn.mistakes import Mistake


def check_same_network(
    module: nn.Module, ours: Mapping[str, Any], theirs: Mapping[str, Any], state: Mapping[str, Tensor]
) -> None:
    """Compare the checkpoint's configuration with ours where its weights do not fit.

    Args:
        module: what the weights are for.
        ours: the network's configuration, as `NetworkConfig.to_dict` gives it.
        theirs: that in the checkpoint; empty where it has none.
        state: the checkpoint's weights by name.

    Raises:
        Mistake: it is of another network; the message names what differs.
    """
    differ = [f"{key}={theirs[key]!r} (here {ours[key]!r})" for key in ours if theirs.get(key, ours[key]) != ours[key]]
    shapes = {name: value.shape for name, value in module.state_dict().items()}
    if differ and state and {name: value.shape for name, value in state.items()} != shapes:
        raise Mistake(
            f"the checkpoint is of a network with {', '.join(differ)}; give its RUN/config.yaml and leave "
            "model.network as it is, or start a new training from it with --model.weights in place of --ckpt_path"
        )
