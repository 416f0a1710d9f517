"""The clips that an exported graph takes, as the configuration of a network says it."""

from dataclasses import dataclass

from vidattn.export.about import About
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.network import Network, NetworkConfig


@dataclass(frozen=True)
class ExportedConfig(NetworkConfig):
    """What is known of the network in an exported file; it cannot be built again from that.

    Args:
        about: what the file says.
    """

    about: About

    @property
    def num_frames(self) -> int:  # type: ignore[override]
        """Frames of the clips that the graph was made for."""
        return self.about.num_frames

    @property
    def num_classes(self) -> int:  # type: ignore[override]
        """Width of the answers."""
        return self.about.num_classes

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the clips that the graph was made for."""
        return self.about.height, self.about.width

    @property
    def title(self) -> str:
        """The scheme."""
        return self.about.scheme

    @property
    def has_time(self) -> bool:
        """Whether the order and the number of frames matter to the network."""
        return self.about.has_time

    def check_clip(self, frames: int, height: int, width: int, name: str = "input") -> None:
        """Raise a `ValueError` unless the graph takes clips of this size."""
        dynamic = self.about.dynamic
        wrong = [] if frames == self.num_frames or _open(dynamic.get("frames"), frames) else ["frames"]
        if (height, width) != self.size and not all(_open(dynamic.get("size"), side) for side in (height, width)):
            wrong.append("size")
        if wrong:
            kinds = [f"{axis} that are multiples of {dynamic[axis]}" for axis in wrong if axis in dynamic]
            wanted = f"{self.about.clip}{''.join(f', or {kind}' for kind in kinds)}"
            raise Mistake(
                f"{name}={frames} frames of {height}x{width}: this file was exported for clips of {wanted}; "
                f"export the checkpoint at the size that is wanted, or with --dynamic {','.join(wrong)}"
            )

    def grid(self, frames: int, height: int, width: int) -> Grid:
        """Raises: there are no tokens to see."""
        raise Mistake(f"an exported network of {self.title} shows no tokens; give the checkpoint that it was made of")

    def build(self) -> Network:
        """Raises: the file holds a graph and no recipe."""
        raise Mistake(f"an exported network of {self.title} cannot be built again; give the checkpoint of it")


def _open(multiple: int | None, length: int) -> bool:
    return multiple is not None and length > 0 and length % multiple == 0
