"""The pixels of a decoded frame."""

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter


def to_rgb(frame: VideoFrame, reformatter: VideoReformatter) -> np.ndarray:
    """A decoded frame as uint8 RGB `(H, W, 3)`, as it is stored; a view that lives as long as the converted frame.

    Args:
        frame: in whatever format the decoder gives.
        reformatter: keeps the conversion of the last frame for those like it. Of one's own, not that of
            `frame.to_ndarray`: PyAV 19 shares that one within a thread, with threads that a forked process waits for in
            vain.
    """
    # One thread: swscale's own choice costs four times the CPU time on small pictures.
    plane = reformatter.reformat(frame, format="rgb24", threads=1).planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)  # rows are padded
    return rows[:, : 3 * frame.width].reshape(frame.height, frame.width, 3)
