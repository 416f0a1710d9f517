"""How the videos of a dataset are opened: by which reader, for how long at most, and which ones not at all."""

from collections.abc import Callable

from vidattn.data.readers import VideoReader, open_video
from vidattn.data.readers.frame_folder import FrameFolderReader
from vidattn.data.readers.frame_index import FrameIndex
from vidattn.data.readers.guarded import AVAILABLE, Watchdog
from vidattn.data.readers.known import NOTHING, Known
from vidattn.data.readers.pyav import PyAVReader
from vidattn.data.readers.quarantine import Quarantine
from vidattn.data.readers.unsafe import remember_unsafe
from vidattn.data.videos.manifest import Video

Opener = Callable[[Video], VideoReader]
"""What opens a video of a list: a `VideoOpener`, or something around one."""


class VideoOpener:
    """Opens videos in the process that asks; nothing is open before, so it goes into data workers as it is.

    Args:
        reader: the video reader, a name that `open_video` knows.
        timeout: seconds after which opening or decoding is given up; None waits for ever. Linux only, and not on the
            GPU, which a forked process cannot use: elsewhere nothing is given up.
        quarantine: videos that are not opened.
        index: what `vidattn check` has found out: where the frames lie, and which files are not to be sought in.
    """

    def __init__(
        self,
        reader: str = "pyav",
        timeout: float | None = None,
        quarantine: Quarantine | None = None,
        index: FrameIndex | None = None,
    ) -> None:
        self.reader = reader
        self.quarantine = quarantine
        self.index = index
        can_fork = AVAILABLE and reader != "torchcodec_cuda"
        self.watchdog = Watchdog(timeout, open_file) if timeout is not None and can_fork else None

    def __call__(self, video: Video) -> VideoReader:
        """A reader on the video.

        Raises:
            QuarantinedError: the video is on the quarantine list.
            VideoDecodeError: it cannot be opened.
        """
        if self.quarantine is not None:
            self.quarantine.check(video.path)
        known = self.index.known(video.path) if self.index is not None else NOTHING
        if self.watchdog is not None:
            return self.watchdog.open(video.path, self.reader, video.folder_fps, known)
        return open_file(video.path, self.reader, video.folder_fps, known)


def open_file(path: str, reader: str, folder_fps: float | None, known: Known = NOTHING) -> VideoReader:
    """A reader on a file, of which something may be known, or on a folder of pictures where its rate is given."""
    if folder_fps is not None:
        return FrameFolderReader(path, folder_fps)
    if known.unsafe:  # the other readers learn it as well: they compare themselves with PyAV
        remember_unsafe(path)
    return PyAVReader(path, known) if reader == "pyav" else open_video(path, reader)
