"""Images made on the spot, so that a classifier can be tried and tested without a download."""

from collections.abc import Callable

import torch
from torch import Tensor

# Signed distance of a point (x, y) to the edge, negative inside; every shape about as large as the unit disc.
SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "disc": lambda x, y: torch.hypot(x, y) - 1,
    "ring": lambda x, y: (torch.hypot(x, y) - 1.05).abs() - 0.4,
    "cross": lambda x, y: torch.minimum(
        torch.maximum(x.abs() - 1.3, y.abs() - 0.38), torch.maximum(x.abs() - 0.38, y.abs() - 1.3)
    ),
    "stripes": lambda x, y: torch.maximum(torch.maximum(x.abs(), y.abs()) - 1.2, 0.3 - (x.abs() - 0.5).abs() - 0.1),
}


def draw_shapes(num_images: int, size: int = 32, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images `(N, 3, size, size)` around zero, and the class `(N,)` of each: its place in `SHAPES`.

    One shape in any place, of any size, turned by any angle, in a light colour on a dark one, under noise. Colours
    say nothing of the class and the area covered little; nor does one small patch: its parts must be put together.

    Args:
        num_images: how many.
        size: height and width in pixels.
        seed: another seed gives other images of the same kind.
    """
    random = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(num_images, *shape, generator=random)

    labels = torch.randint(len(SHAPES), (num_images,), generator=random)
    radius, angle = uniform(0.25, 0.42, 1, 1), uniform(0, 2 * torch.pi, 1, 1)
    across, down = uniform(-0.35, 0.35, 1, 1), uniform(-0.35, 0.35, 1, 1)
    ground, colour = uniform(-1, 0, 3, 1, 1), uniform(0, 1, 3, 1, 1)
    every = torch.arange(num_images)

    pixel = (torch.arange(size) + 0.5) / size * 2 - 1
    x, y = (pixel[None, None, :] - across) / radius, (pixel[None, :, None] - down) / radius
    x, y = x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()
    distance = torch.stack([shape(x, y) for shape in SHAPES.values()])[labels, every]  # (N, size, size)
    inside = (0.5 - distance * radius * size / 2).clamp(0, 1).unsqueeze(1)  # an edge one pixel soft
    noise = 0.1 * torch.randn(num_images, 3, size, size, generator=random)
    return ground + inside * (colour - ground) + noise, labels
