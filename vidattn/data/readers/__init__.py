"""Open a video and read frames of it; three backends, one meaning."""

from importlib.metadata import version

from vidattn.data.readers.base import Source, VideoReader
from vidattn.mistakes import Mistake

__all__ = ["READERS", "VideoReader", "open_video", "reader_version"]

READERS = ("pyav", "decord", "torchcodec", "torchcodec_cuda")
"""Their names."""


def open_video(source: Source, reader: str = "pyav") -> VideoReader:
    """A reader on `source`: a path, or a whole video as bytes or as a binary stream.

    Args:
        reader: "pyav" (exact on everything, the default), "decord", "torchcodec" or "torchcodec_cuda" (each imported
            only here).

    Raises:
        ValueError: `reader` is none of these, or there is no CUDA device.
        VideoDecodeError: the file cannot be opened or this reader is known to be wrong on it.
        ImportError: the backend is not installed or does not load.
    """
    if reader == "pyav":
        from vidattn.data.readers.pyav import PyAVReader

        return PyAVReader(source)
    if reader == "decord":
        from vidattn.data.readers.decord import DecordReader

        return DecordReader(source)
    if reader in ("torchcodec", "torchcodec_cuda"):
        from vidattn.data.readers.torchcodec import TorchCodecReader

        return TorchCodecReader(source, "cpu" if reader == "torchcodec" else "cuda")
    raise Mistake(f"reader={reader!r} is unknown; choose one of {', '.join(READERS)}")


def reader_version(reader: str) -> str:
    """Name and version of a backend, for scorecards; PyAV's with its libavcodec, which does the decoding.

    Raises:
        ValueError: `reader` is none of pyav, decord, torchcodec, torchcodec_cuda.
    """
    if reader not in READERS:
        raise Mistake(f"reader={reader!r} is unknown; choose one of {', '.join(READERS)}")
    if reader == "pyav":
        import av

        major, minor, micro = av.library_versions["libavcodec"]
        return f"pyav {av.__version__} (libavcodec {major}.{minor}.{micro})"
    return f"{reader} {version(reader.removesuffix('_cuda'))}"
