"""An explorer of attention: one page that stands alone, in which a patch is asked where it looks."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration
from vidattn.calibration.probabilities import Probabilities
from vidattn.explain.packed import packed, pooled_keys
from vidattn.explain.rollout import MEMORY_LIMIT, Walk, explainable, gradient_rollout, recorded
from vidattn.explain.step_weights import StepWeights, step_weights
from vidattn.mistakes import Mistake
from vidattn.plots.jpegs import jpeg, jpeg_uri

MEAN, ALL = "mean", "all"
POOLED_FROM = 16 * 2**20
"""Weights of all steps, one head each and zeros left out, from which keys are pooled: about 15 MB of a page."""


@dataclass(frozen=True, eq=False)
class Exploration:
    """What one or two networks weighed in one clip, as a page.

    Attributes:
        models: plain values of each, as the page reads them.
    """

    models: tuple[dict[str, Any], ...]

    @property
    def error(self) -> float:
        """The largest difference between a weight and what the page shows of it."""
        return max(step["error"] for model in self.models for step in model["steps"])

    def beside(self, other: "Exploration") -> "Exploration":
        """Both on one page, linked: a patch that is chosen in one is chosen in the other."""
        return Exploration((*self.models, *other.models))

    def html(self) -> str:
        """The whole page: no other file, no request."""
        data = json.dumps({"models": self.models}, separators=(",", ":")).replace("</", "<\\/")
        page = files("vidattn.explain").joinpath("explorer.html").read_text(encoding="utf-8")
        title = escape(" and ".join(dict.fromkeys(model["title"] for model in self.models)))
        return page.replace("__TITLE__", title).replace("__DATA__", data)

    def save(self, path: str | Path) -> Path:
        """Write the page; folders are made.

        Raises:
            ValueError: the file does not end in `.html`.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise Mistake(f"{path}: an exploration is a page; choose a name that ends in .html")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html(), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html())}" style="width:100%;height:560px;border:1px solid #8884" '
            'title="attention explorer"></iframe>'
        )

    def __repr__(self) -> str:
        steps = sum(len(model["steps"]) for model in self.models)
        return f"<Exploration of {len(self.models)} network(s), {steps} steps; save('page.html') writes the page>"


def explore(
    network: nn.Module,
    normalize: Callable[[Tensor], Tensor],
    clip: Tensor,
    class_names: Sequence[str],
    title: str = "clip",
    seconds: Sequence[float] | None = None,
    heads: str | Sequence[int] = MEAN,
    most: int = 3,
    notes: Sequence[str] = (),
    multi_label: bool = False,
    memory_limit: float = MEMORY_LIMIT,
    calibration: Calibration = Calibration(),
) -> Exploration:
    """What each patch of a clip looks at in each step of each block, and maps of the likeliest classes.

    Weights are kept as a byte each, 255 for the largest of a row. Where the weights of all steps would take more than
    a page should, keys are pooled over squares of 2 or 4 patches, which is said on the page.

    Args:
        network: a network of `vidattn.build_network`.
        normalize: from uint8 to what the network takes.
        clip: uint8 `(3, T, H, W)`.
        class_names: K names.
        title: of the clip.
        seconds: `(T,)`, when the frames are in the video.
        heads: beside their mean, the heads to keep, counted from 0, or "all".
        most: classes that get a map of what speaks for them.
        notes: what has to be known about the clip.
        multi_label: each class has a probability of its own.
        memory_limit: bytes that all attention weights together may take.
        calibration: what was measured of the network's answers.

    Raises:
        ValueError: there is no such head.
        TypeError: the network is of another kind.
        MemoryError: the attention weights would take more than `memory_limit`.
    """
    network = explainable(network)
    parameter = next(network.parameters())
    video = normalize(clip[None].to(parameter.device)).to(parameter.dtype)
    said = list(notes)
    steps: list[StepWeights] = []
    with torch.no_grad():
        recording, logits = recorded(network, video, memory_limit)
    for one in step_weights(network, recording, video.shape[2:], said):
        asked = _asked(heads, len(one.heads))
        kept = torch.cat((one.heads.mean(0, keepdim=True), one.heads[asked]))
        steps.append(one._replace(heads=kept.cpu()))
    if not steps:
        raise Mistake(f"{type(network).__name__}: no step of it can be shown: {'; '.join(said)}")
    wanted = _named(heads, steps)
    pool = pooling(sum(int((step.heads[0] > 0).sum()) for step in steps))
    if pool > 1:
        said.append(f"keys are pooled over squares of {pool} x {pool} patches, to keep the page small")
    found = Walk(recording.visits, normalised=True).back(network, video, logits)
    said.extend(found.notes)
    del recording
    probabilities = Probabilities(multi_label, calibration)(logits[0].float())
    top = probabilities.topk(min(most, len(class_names)))
    named = {index: class_names[index] for index in top.indices.tolist()}
    shares = [("rollout", found.video[0])]
    for index, name in named.items():
        shares.append((f"for {name}", gradient_rollout(network, video, index, memory_limit).video[0]))
    model = {
        "title": title,
        "name": f"{type(network).__name__}, {network.config.title}",
        "answers": [[name, round(float(value), 4)] for name, value in zip(named.values(), top.values, strict=True)],
        "frames": [jpeg_uri(jpeg(frame, quality=90)) for frame in clip.movedim(0, -1).cpu().numpy()],
        "seconds": None if seconds is None else [round(float(one), 3) for one in seconds],
        "heads": wanted,
        "steps": [_packed(step, pool, wanted) for step in steps],
        "maps": [_map(name, map_) for name, map_ in shares],
        "notes": list(dict.fromkeys(said)),
    }
    return Exploration((model,))


def pooling(weights: int) -> int:
    """How many patches of a side are one key, for so many weights that are not zero."""
    return next(pool for pool in (1, 2, 4) if weights <= POOLED_FROM * pool**2 or pool == 4)


def _asked(heads: str | Sequence[int], count: int) -> list[int]:
    """Which of `count` heads are kept beside their mean."""
    if heads == MEAN or count == 1:
        return []
    if heads == ALL:
        return list(range(count))
    asked = [int(head) for head in heads]
    if wrong := [head for head in asked if not 0 <= head < count]:
        raise Mistake(f"head {wrong[0]}: the network has heads 0 to {count - 1}")
    return asked


def _named(heads: str | Sequence[int], steps: Sequence[StepWeights]) -> list[str]:
    """Names of what is kept: the mean, and the heads asked for."""
    most = max(len(step.heads) for step in steps) - 1
    numbers = range(most) if isinstance(heads, str) else heads
    return [MEAN, *(str(number) for number in numbers)]


def _packed(step: StepWeights, pool: int, names: Sequence[str]) -> dict[str, Any]:
    """One step as the page reads it."""
    grid = step.grid
    made = [packed(pooled_keys(one, grid, pool)) for one in step.heads]
    return {
        "block": step.block,
        "step": step.step + (" (nudged)" if step.nudged else ""),
        "grid": [*grid.sides(), grid.prefix],
        "pool": pool,
        "data": {name: one.text for name, one in zip(names, made, strict=False)},
        "error": max(one.error for one in made),
    }


def _map(name: str, shares: Tensor) -> dict[str, Any]:
    """Shares `(T, h, w)` as the page reads them."""
    text = packed(shares.detach().float().cpu().reshape(1, -1)).text
    return {"name": name, "grid": list(shares.shape), "data": text}
