"""Which video backends load on this machine."""

import pytest


def need(reader: str) -> None:
    """Skip the test where the backend of this name is not installed, or finds no FFmpeg of its own."""
    if reader == "decord":
        pytest.importorskip("decord")
    elif reader == "torchcodec":
        decoders = pytest.importorskip("torchcodec.decoders", exc_type=Exception)
        try:
            decoders.VideoDecoder(b"no video")
        except RuntimeError as error:
            if "libtorchcodec" in str(error):
                pytest.skip("torchcodec finds no FFmpeg libraries here")
        except ValueError:
            pass
