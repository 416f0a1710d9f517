"""A thread that takes the frames of a stream when they come, so that the machine may be slow at answering."""

import math
import threading
from collections.abc import Callable

import numpy as np
import torch

from vidattn.classify.live.ring import Ring, Window
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.readers.live_frames import LiveFrames


class Feed:
    """Reads a source into a ring; `take` waits for the next window.

    A source that is behind the machine's clock (a camera) is never made to wait: what cannot be answered is dropped.
    One that is ahead of it (a file) waits for the answer that is due.

    Args:
        source: of frames.
        ring: what is kept of them.
        crops: makes the network's pictures of a frame.
        clock: seconds; goes forward only.
    """

    def __init__(self, source: LiveFrames, ring: Ring, crops: SpatialCrops, clock: Callable[[], float]) -> None:
        self.source, self.ring, self.crops, self.clock = source, ring, crops, clock
        self._changed = threading.Condition()
        self._ended = self._stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="vidattn live", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def take(self) -> Window | None:
        """The newest window, as soon as there is one; None at the end of the stream.

        Raises:
            VideoDecodeError: the stream broke off; or what else its source raises.
        """
        with self._changed:
            while not self.ring.is_due and not self._ended:
                self._changed.wait()
            window = self.ring.take()
            self._changed.notify_all()
        if window is None and self._error is not None:
            raise self._error
        return window

    def stop(self) -> None:
        """Read no more; a thread that waits for a frame ends when that has come, or with the program."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _read(self) -> None:
        try:
            self._all()
        except BaseException as error:
            self._error = error
        finally:
            self.source.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _all(self) -> None:
        began, first = math.nan, None
        for number, (shown, picture) in enumerate(self.source):
            now = self.clock()
            if number == 0:  # the two clocks meet at the first frame
                began, first = now, shown
            seconds = now - began if shown is None or first is None else shown - first
            with self._changed:
                wanted = self.ring.wants(seconds)
            pixels = None
            if wanted:
                frame = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
                pixels = torch.cat([*self.crops(frame[None])])
            with self._changed:
                self.ring.put(seconds, pixels, now)
                self._changed.notify_all()
                while self.ring.is_due and not self._stopped and (ahead := seconds - (self.clock() - began)) > 0:
                    self._changed.wait(ahead)
                if self._stopped:
                    return
