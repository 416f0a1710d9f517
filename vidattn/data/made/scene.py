"""Moving scenes to learn from, drawn by formula.

A scene holds three things, each of its own colour: a spot at `x`, `y` on a torus (it leaves on one side and enters on
the other), a ring around the middle whose radius is `scale` (past the largest it starts anew at the smallest), and a
hand that points at `angle`, like that of a clock. All four phases are periodic and start uniformly at random. So
whichever phase drifts, and whichever way, each frame alone has exactly the same distribution.
"""

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]  # (T, H, W, 3), RGB
Phases = NDArray[np.float32]  # (4, T): x, y, scale, angle, each in periods
Channels = tuple[int, int, int]  # where spot, ring and hand shine: 0 red, 1 green, 2 blue

TRAVEL = 0.7  # periods that a drift covers in one video: far enough to be seen, too short to be taken for its reverse
NOISE = 0.05  # standard deviation of each pixel, of full brightness

# class name -> (phase that drifts, its sign); rows count downwards, so turning right (clockwise) is a growing angle.
MOTIONS = {
    "move_left": (0, -1),
    "move_right": (0, 1),
    "move_up": (1, -1),
    "move_down": (1, 1),
    "grow": (2, 1),
    "shrink": (2, -1),
    "turn_left": (3, -1),
    "turn_right": (3, 1),
}


def render(phases: Phases, size: int) -> NDArray[np.float32]:
    """Brightness in 0..1 of spot, ring and hand, `(T, size, size, 3)`, drawn once per column of `phases`."""
    x, y, scale, angle = (phase[:, None, None].astype(np.float32) for phase in phases)
    pixel = ((np.arange(size) + 0.5) / size).astype(np.float32)
    column, row = pixel[None, None, :], pixel[None, :, None]
    dx = (column - x + 0.5) % 1 - 0.5  # to the nearest of the spot's copies on the torus
    dy = (row - y + 0.5) % 1 - 0.5
    spot = np.exp(-(dx**2 + dy**2) / (2 * 0.09**2))

    right, down = column - 0.5, row - 0.5  # from the middle
    radius = 0.1 + 0.4 * (scale % 1)
    ring = np.exp(-(((np.hypot(right, down) - radius) / 0.05) ** 2) / 2)

    cosine, sine = np.cos(2 * np.pi * angle), np.sin(2 * np.pi * angle)
    along, across = right * cosine + down * sine, down * cosine - right * sine
    hand = np.exp(-((across / 0.1) ** 2) / 2) * ((along > 0) & (along < 0.45))
    return np.stack((spot, ring, hand), axis=-1).astype(np.float32)


def paint(scene: NDArray[np.float32], channels: Channels, rng: np.random.Generator) -> Frames:
    """The scene in colour: one channel each for spot, ring and hand, of random strength, on a dark noisy ground."""
    ground, strength = rng.uniform(0.1, 0.2, 3), rng.uniform(0.6, 0.8, 3)
    pixels = ground + strength * scene[..., np.argsort(channels)]
    pixels += NOISE * rng.standard_normal(pixels.shape, dtype=np.float32)
    return np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def random_motion(motion: int, num_frames: int, rng: np.random.Generator) -> Phases:
    """Phases `(4, num_frames)` of one video: all start anywhere, the one of this motion drifts.

    Args:
        motion: place in `MOTIONS`.
    """
    drifting, sign = list(MOTIONS.values())[motion]
    phases = np.repeat(rng.random((4, 1)), num_frames, axis=1)
    phases[drifting] += sign * TRAVEL * np.arange(num_frames) / num_frames
    return phases.astype(np.float32) % 1
