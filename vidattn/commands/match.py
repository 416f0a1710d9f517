"""`vidattn compare --match`: configurations that cost the same."""

import argparse
import copy
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import torch
import yaml

from vidattn.comparison.knobs import depths_of, widths_of
from vidattn.comparison.matching import Match, macs, match, parameters
from vidattn.console import plain_console
from vidattn.data.flat_keys import nested
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import Schemed
from vidattn.public import public_path
from vidattn.tables import rich_table


def match_schemes(options: argparse.Namespace, base: Schemed, name: str, values: Mapping[str, Any]) -> None:
    """Bring all schemes to the cost of the first; print and write their configurations.

    Args:
        options: those of `vidattn compare`.
        base: the network, but for its scheme, and for the length and size that the options give.
        name: of the network, for the title.
        values: the complete configuration that the network is from; empty where there is none.

    Raises:
        ValueError: as in `match`; or there is more than one length or size; or configurations of square clips are to be
            written for a network of others.
    """
    for key, given in (("num_frames", options.frames), ("image_size", options.size)):
        if given:
            if len(given) > 1:
                raise Mistake(f"{given}: schemes are matched on one clip; give one length and one size")
            base = replace(base, **{key: given[0]})
    height, width = base.size
    if options.out and "data" in values and height != width:
        raise Mistake(f"vidattn fit takes square clips, and these are {height}x{width}; leave out --out")
    if options.threads:
        torch.set_num_threads(options.threads)
    console = plain_console()
    with console.status(f"Matching {options.match} by {options.by}"):
        found = match(options.schemes, base, options.match, options.by, options.rounds)
    title = f"{name}, {options.match} of the first met by {options.by}, {base.num_frames}x{height}"
    if height != width:
        title += f"x{width}"
    rows = [
        {
            "attention": scheme,
            "frames": str(one.config.num_frames),
            "width": widths_of(one.config),
            "depth": depths_of(one.config),
            "parameters": f"{parameters(one.config) / 1e6:.2f}M",
            "GMACs": f"{macs(one.config) / 1e9:.4g}",
            f"{options.match}, ratio": f"{one.ratio:.3f}",
        }
        for scheme, one in zip(options.schemes, found, strict=True)
    ]
    console.print(rich_table(rows, title))
    if options.out:
        written = write_configs(dict(zip(options.schemes, found, strict=True)), title, values, Path(options.out))
        console.print(f"wrote {', '.join(map(str, written))}")


def write_configs(found: Mapping[str, Match], title: str, values: Mapping[str, Any], folder: Path) -> list[Path]:
    """A YAML for each scheme: `values` with its network; without values the network alone, to follow another config."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for scheme, one in found.items():
        stem = quote(scheme, safe="+,()")
        path = folder / f"{stem}.yaml"
        use = f"vidattn fit --config {path}"
        if not values:
            use = f"vidattn fit --config YOURS.yaml --config {path}    (this is the network alone)"
        text = yaml.safe_dump(with_network(values, one.config, f"{folder.name}/{stem}"), sort_keys=False)
        path.write_text(f"# {use}\n#\n# {title}: ratio {one.ratio:.3f}\n{text}")
        paths.append(path)
    return paths


def with_network(values: Mapping[str, Any], config: Schemed, run: str) -> dict[str, Any]:
    """A configuration of `vidattn fit` with this network, in `outputs/<run>`; where it says anything of clips, they get
    the network's length and size."""
    network = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(config).items()}
    network["image_size"] = config.size[0] if config.size[0] == config.size[1] else list(config.size)
    if not isinstance(config, VideoTransformerConfig):
        network = {"class_path": public_path(type(config)), "init_args": network}
    changed = copy.deepcopy(dict(values))
    changed.setdefault("model", {})["network"] = network
    if "trainer" in changed:
        changed["trainer"] = (changed["trainer"] or {}) | {"default_root_dir": f"outputs/{run}"}
    if "data" in changed:
        data = nested(changed)["data"] or {}
        changed["data"] = data | {"views": (data.get("views") or {}) | {"image_size": config.size[0]}}
        if sampling := changed["data"].get("sampling"):
            sampling = {"class_path": sampling} if isinstance(sampling, str) else sampling
            frames = {"num_frames": config.num_frames}
            changed["data"]["sampling"] = sampling | {"init_args": (sampling.get("init_args") or {}) | frames}
    return changed
