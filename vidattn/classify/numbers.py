"""The check that answers are numbers, and the message where they are NaN."""

from torch import Tensor, nn

from vidattn.mistakes import Mistake


def check_numbers(probabilities: Tensor, network: nn.Module) -> None:
    """Raise where a probability of `network` is NaN.

    Raises:
        ValueError: it is; the message says whether the weights are to blame, or the type that they are computed in.
    """
    if not probabilities.isnan().any():
        return
    state = {name: value for name, value in network.state_dict().items() if value.is_floating_point()}
    damaged = [name for name, value in state.items() if not value.isfinite().all()]
    if damaged:
        more = f" and {len(damaged) - 1} more" if damaged[1:] else ""
        raise Mistake(
            f"the network answers NaN (not a number), as its weights hold NaN or infinity ({damaged[0]}{more}); "
            "download them again, or take a checkpoint from before the training failed"
        )
    dtypes = ", ".join(sorted({str(value.dtype) for value in state.values()})) or "its own type"
    raise Mistake(
        f"the network answers NaN (not a number) though its weights are sound: numbers overflow in {dtypes}; "
        "take precision=fp32, and check mean and std of the preprocessing"
    )
