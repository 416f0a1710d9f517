"""Shapes that move about, each with an action of its own, and where they are in each frame.

Every shape can do everything: which it is, its colour, its place and how it is turned say nothing of its action, which
shows in the change from frame to frame alone.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidattn.data.made.scene import NOISE, Frames

ACTIONS = ("grow", "move_down", "move_left", "move_right", "move_up", "shrink", "turn_left", "turn_right")
"""Rows count downwards, so `turn_right`, clockwise, is a growing angle."""

_STEPS = {"move_left": (-1, 0), "move_right": (1, 0), "move_up": (0, -1), "move_down": (0, 1)}
_TRAVEL = (0.4, 0.8)  # of the picture, in one video
_TURN = (0.4, 0.7)  # of a full turn
_GROWTH = 2.0  # between the smallest and the largest radius
_RADIUS = (0.12, 0.18)  # of the picture's side, in the middle of the video
SEEN_FROM = 0.3  # share of a shape that must be in the picture to have a box

Plane = NDArray[np.float64]
Shape = Callable[[Plane, Plane], Plane]


class Scene(NamedTuple):
    """A video of shapes.

    Args:
        frames: uint8 `(T, S, S, 3)`.
        boxes: float64 `(P, T, 4)`: x1, y1, x2, y2 in fractions of the picture, around what is seen of a shape.
        present: bool `(P, T)`: whether the shape is in the picture (at least 30% of it).
        actions: `(P,)`, places in `ACTIONS`.
    """

    frames: Frames
    boxes: NDArray[np.float64]
    present: NDArray[np.bool_]
    actions: NDArray[np.int64]


def half_disc(x: Plane, y: Plane) -> Plane:
    """Signed distances, as those below: negative inside, about as large as the unit disc."""
    return np.maximum(np.hypot(x, y + 0.45) - 1.1, -0.4 - y)


def arrow_head(x: Plane, y: Plane) -> Plane:
    """A slim triangle that points to the right."""
    return np.maximum((x + 3.2 * np.abs(y) - 1.1) / 3.35, -0.9 - x)


def angle_iron(x: Plane, y: Plane) -> Plane:
    """The letter L."""
    foot = np.maximum(np.abs(x) - 0.9, np.abs(y - 0.6) - 0.33)
    return np.minimum(foot, np.maximum(np.abs(x + 0.57) - 0.33, np.abs(y) - 0.93))


SHAPES: tuple[Shape, ...] = (half_disc, arrow_head, angle_iron)
"""None looks the same after less than a full turn."""


def random_scene(actions: NDArray[np.int64], num_frames: int, size: int, rng: np.random.Generator) -> Scene:
    """Shapes with these actions, on a dark noisy ground; later ones lie above earlier ones.

    They start apart from each other within the picture, as far as there is room, and may leave it.

    Args:
        actions: `(P,)`, places in `ACTIONS`.
        num_frames: T.
        size: S, pixels.
    """
    count = len(actions)
    phase = np.arange(num_frames) / num_frames
    radius = rng.uniform(*_RADIUS, count)
    place = _apart(radius, rng)
    turned = rng.random(count)
    ground = rng.uniform(0.05, 0.2, 3)
    picture = np.broadcast_to(ground, (num_frames, size, size, 3)).copy()
    boxes, present = np.zeros((count, num_frames, 4)), np.zeros((count, num_frames), bool)
    for person, action in enumerate(actions):
        name = ACTIONS[action]
        right, down = _STEPS.get(name, (0, 0))
        travel = rng.uniform(*_TRAVEL)
        x, y = place[person, 0] + right * travel * phase, place[person, 1] + down * travel * phase
        turn = rng.uniform(*_TURN) * {"turn_left": -1, "turn_right": 1}.get(name, 0)
        angle = turned[person] + turn * phase
        growth = {"grow": 1, "shrink": -1}.get(name, 0)
        scale = radius[person] * _GROWTH ** (growth * (phase - 0.5))
        shape = SHAPES[rng.integers(len(SHAPES))]
        covered = _alpha(shape, x, y, angle, scale, size)
        colour = rng.uniform(0.35, 1, 3)
        picture += covered[..., None] * (colour - picture)
        for frame in range(num_frames):
            full = _alpha(shape, np.full(1, 0.5), np.full(1, 0.5), angle[[frame]], scale[[frame]], size).sum()
            box = _around(covered[frame])
            if box is not None and covered[frame].sum() >= SEEN_FROM * full:
                boxes[person, frame], present[person, frame] = box, True
    picture += NOISE * rng.standard_normal(picture.shape)
    return Scene(np.round(picture.clip(0, 1) * 255).astype(np.uint8), boxes, present, actions)


def _alpha(shape: Shape, x: Plane, y: Plane, angle: Plane, scale: Plane, size: int) -> Plane:
    """How much of each pixel the shape covers, `(T, size, size)`: its edge is one pixel soft."""
    pixel = (np.arange(size) + 0.5) / size
    across = (pixel[None, None, :] - x[:, None, None]) / scale[:, None, None]
    along = (pixel[None, :, None] - y[:, None, None]) / scale[:, None, None]
    cosine, sine = (f(2 * np.pi * angle)[:, None, None] for f in (np.cos, np.sin))
    distance = shape(across * cosine + along * sine, along * cosine - across * sine)
    return np.clip(0.5 - distance * scale[:, None, None] * size, 0, 1)


def _around(covered: Plane) -> NDArray[np.float64] | None:
    """The box around the pixels that are covered by half or more, in fractions; None where there are none."""
    rows, columns = np.nonzero(covered >= 0.5)
    if not len(rows):
        return None
    height, width = covered.shape
    edges = [columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height]
    return np.array(edges)


def _apart(radius: NDArray[np.float64], rng: np.random.Generator, tries: int = 40) -> NDArray[np.float64]:
    """Places `(P, 2)` whose discs do not touch; where no place is free, the one that is farthest from the others."""
    places: list[NDArray[np.float64]] = []
    for number, own in enumerate(radius):
        drawn = rng.uniform(0.15, 0.85, (tries, 2))
        room = np.full(tries, np.inf)
        for other, place in zip(radius[:number], places, strict=True):
            room = np.minimum(room, np.hypot(*(drawn - place).T) - own - other)
        free = np.flatnonzero(room > 0)
        places.append(drawn[free[0] if len(free) else int(room.argmax())])
    return np.array(places).reshape(-1, 2)
