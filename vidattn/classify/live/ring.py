"""The last frames of a stream, as many as the next answers look at, and what became of the others."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

_TICK = 1e-6  # seconds: what two clocks may differ by where they mean the same instant


@dataclass(eq=False)
class Held:
    """A frame that an answer will look at, or has looked at.

    Args:
        seconds: when it is shown.
        pixels: uint8 `(C, 3, S, S)`, its crops; None once its vector is known.
        vector: `(C, D)`, what the network knows of it alone, where it asks each frame by itself.
        seen: whether an answer has looked at it.
    """

    seconds: float
    pixels: Tensor | None
    vector: Tensor | None = None
    seen: bool = False


class Window(NamedTuple):
    """What an answer is about.

    Args:
        frames: in their order; one may stand for several instants where frames come slowly.
        came: when the last of them came, by the machine's clock.
    """

    frames: list[Held]
    came: float

    def clip(self) -> Tensor:
        """uint8 `(C, 3, T, S, S)`."""
        return torch.stack([frame.pixels for frame in self.frames], dim=2)  # type: ignore[misc]


class Ring:
    """Keeps the frames that windows to come will look at, and hands out the newest window that is complete.

    Window j ends at `(num_frames - 1) * between + j * step` seconds after the first frame, and looks back from there,
    `between` seconds from frame to frame; an instant is served by the first frame at it or after it. Windows that were
    not taken before a newer one was complete are skipped. Frames are held from the newest complete window on, so there
    are never more than come in a window and a step.

    Where the stream's clock goes back, or forward by more than a window, windows begin anew.

    Args:
        num_frames: of a window.
        between: seconds.
        step: seconds from window to window.

    Attributes:
        frames: how many have come.
        dropped: frames that a window was to look at, and no answer did.
        skipped: windows that got no answer.
        restarts: how often the clock has jumped.
    """

    def __init__(self, num_frames: int, between: float, step: float) -> None:
        self.num_frames, self.between, self.step = num_frames, between, step
        self.frames = self.dropped = self.skipped = self.restarts = 0
        self.held: list[Held] = []
        self._origin = self._last = -math.inf
        self._came = math.nan
        self._next = 0  # the first window that has had neither an answer nor been skipped

    @property
    def span(self) -> float:
        """Seconds from the first frame of a window to the last."""
        return (self.num_frames - 1) * self.between

    @property
    def seconds(self) -> float:
        """What has come of the stream since its clock last jumped."""
        return self._last - self._origin if self.frames else 0.0

    @property
    def is_due(self) -> bool:
        """Whether a window is complete that has had no answer."""
        return self._newest() >= self._next

    def wants(self, seconds: float) -> bool:
        """Whether a window will look at a frame that is shown then; to be asked before it is `put`."""
        if self._jumps(seconds):
            return True
        before, now = self._last - self._origin + _TICK, seconds - self._origin + _TICK
        return any(self._asked(place * self.between, before, now) for place in range(self.num_frames))

    def put(self, seconds: float, pixels: Tensor | None, came: float) -> None:
        """Take a frame.

        Args:
            seconds: when it is shown.
            pixels: uint8 `(C, 3, S, S)`; None of a frame that is not wanted.
            came: by the machine's clock.
        """
        if self._jumps(seconds):
            self.restarts += self.frames > 0
            self._forget(math.inf)
            self._origin, self._next = seconds, 0
        self.frames += 1
        self._last, self._came = seconds, came
        if pixels is not None:
            self.held.append(Held(seconds, pixels))
        if self.is_due:
            self._forget(self._origin + self._newest() * self.step)

    def take(self) -> Window | None:
        """The newest complete window, once; None where it has been taken."""
        newest = self._newest()
        if newest < self._next:
            return None
        self.skipped += newest - self._next
        begin = self._origin + newest * self.step
        chosen: list[Held] = []
        for place in range(self.num_frames):
            instant = begin + place * self.between
            chosen.append(next((one for one in self.held if one.seconds + _TICK >= instant), self.held[-1]))
        for frame in chosen:
            frame.seen = True
        self._next = newest + 1
        self._forget(self._origin + self._next * self.step)
        return Window(chosen, self._came)

    def _newest(self) -> int:
        """The number of the newest complete window; less than 0 where there is none."""
        if not self.frames:
            return -1
        return math.floor((self._last - self._origin + _TICK - self.span) / self.step)

    def _asked(self, offset: float, before: float, now: float) -> bool:
        """Whether an instant of a window to come, `offset` after its begin, lies after `before` and not after `now`."""
        window = max(self._next, math.floor((before - offset) / self.step) + 1)
        return offset + window * self.step <= now

    def _jumps(self, seconds: float) -> bool:
        return not self._last - _TICK <= seconds <= self._last + max(self.span, self.step) + 1.0

    def _forget(self, before: float) -> None:
        """Let go of the frames that are shown before an instant."""
        gone = [frame for frame in self.held if frame.seconds + _TICK < before]
        self.dropped += sum(not frame.seen for frame in gone)
        self.held = self.held[len(gone) :]
