"""Where a network runs."""

import torch

from vidattn.mistakes import Mistake


def usable_device(name: str | int | torch.device | None) -> torch.device:
    """The device of that name, after something has been put there; by default the GPU where there is one.

    >>> usable_device("cpu")
    device(type='cpu')

    Raises:
        ValueError: there is no such device here; the message says why.
    """
    if name is None:  # 0 is a device too
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # AssertionError: this torch is built for CPU only
        reason = str(error).splitlines()[0]
        raise Mistake(f"device={name}: {reason}; take device=cpu, or see what vidattn doctor says") from None
