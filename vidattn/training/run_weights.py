"""The checkpoint that a command answers with: found beside a run's configuration, and looked at before it is used."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pytorch_lightning.utilities.rank_zero import rank_zero_info

from vidattn.checkpoints.files import read_weights
from vidattn.checkpoints.nearby import checkpoints_in, nearest_path
from vidattn.checkpoints.renaming import WeightsError
from vidattn.mistakes import Mistake


def checkpoint_to_answer_with(
    words: Iterable[str], configs: Sequence[str], checkpoint: str | None, weights: str | None
) -> str | None:
    """The checkpoint that a command other than `fit` uses; None where the task's `weights` are to answer.

    What stands on the command line comes first; then the best checkpoint of the run whose `config.yaml` is given,
    whatever that run itself started from; then, where the configuration is of no run, what it names.

    Args:
        words: of the command line.
        configs: the configurations that these name.
        checkpoint: `ckpt_path`, of the command line or of a configuration.
        weights: the task's, likewise.

    Raises:
        ValueError: there are no weights to answer with.
        WeightsError: the run of a configuration has checkpoints, but no best one.
    """
    options = {word.partition("=")[0] for word in words}
    if "--ckpt_path" not in options:
        if options & {"--model.weights", "--model.init_args.weights"}:
            checkpoint = None
        elif best := best_beside(configs):
            rank_zero_info(f"Weights: {best}, the best of the run whose configuration this is")
            return str(best)
        else:
            refuse_other_weights(configs)
            if named := checkpoint or weights:
                rank_zero_info(f"Weights: {named}, which the configuration names")
    if not checkpoint and not weights:
        raise Mistake(
            "there are no weights to answer with; give --ckpt_path RUN/checkpoints/best.ckpt (or --config "
            "RUN/config.yaml of a run that has it), or --model.weights for weights from elsewhere"
        )
    return checkpoint


def best_beside(configs: Iterable[str | Path]) -> Path | None:
    """`checkpoints/best.ckpt` in the folder of the last configuration that has one; None where none has."""
    found = [Path(config).parent / "checkpoints" / "best.ckpt" for config in configs]
    return next((checkpoint for checkpoint in reversed(found) if checkpoint.is_file()), None)


def refuse_other_weights(configs: Iterable[str | Path]) -> None:
    """Nobody who gives a run's configuration means the weights that this run started from.

    Raises:
        WeightsError: beside one of them lie checkpoints, none of them `best.ckpt`.
    """
    for folder in (Path(config).parent for config in configs):
        held = [path for path in checkpoints_in(folder) if path.parent.name == "checkpoints" and path.is_file()]
        if held:
            raise WeightsError(
                f"{folder} has no checkpoints/best.ckpt; give one that it holds: --ckpt_path "
                f"{', or '.join(map(str, held[:5]))}"
            )


def check_checkpoint(name: str) -> None:
    """Read a checkpoint of `vidattn fit` through; what Lightning fetches (registries, URLs) is Lightning's to check.

    Raises:
        WeightsError: it is missing, damaged, holds code, or is something else; or a word of Lightning's for what it
            would look for in the new run's folder, which is empty: it would go on with random weights.
    """
    path = Path(name)
    if name in ("best", "last", "hpc"):
        file = f"RUN/checkpoints/{'best' if name == 'best' else 'last'}.ckpt"
        raise WeightsError(f"ckpt_path={name} names no file, and each run has a folder of its own; give {file}")
    if name.startswith("registry") or "://" in name:
        return
    if path.is_dir():
        if (path / ".metadata").is_file():  # in pieces, one of each process
            return
        inside = best_beside([path / "config.yaml"])
        raise WeightsError(f"{name} is a folder; give {inside or 'a file, such as RUN/checkpoints/best.ckpt'}")
    if not path.is_file():
        raise WeightsError(f"{name} does not exist; {_next_move(path)}")
    found = read_weights(path)
    if not isinstance(found, dict) or "pytorch-lightning_version" not in found:
        raise WeightsError(f"{name} is no checkpoint of vidattn fit; as weights to start from give it as model.weights")


def _next_move(path: Path) -> str:
    if near := nearest_path(path):
        return f"did you mean {near}?"
    if not path.parent.is_dir():
        return f"nor does its folder {path.parent}"
    held = checkpoints_in(path.parent)
    return f"the folder holds {', '.join(one.name for one in held[:5])}" if held else "its folder holds no checkpoint"
