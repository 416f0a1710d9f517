"""Pictures as JPEG, and as text that a page holds."""

import base64
import io

import numpy as np
from PIL import Image


def jpeg(picture: Image.Image | np.ndarray, quality: int = 85) -> bytes:
    """A picture, or uint8 `(H, W, 3)`, as a JPEG."""
    file = io.BytesIO()
    (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(file, "jpeg", quality=quality)
    return file.getvalue()


def jpeg_uri(kept: bytes) -> str:
    """A JPEG as a `data:` address that an HTML page can hold."""
    return f"data:image/jpeg;base64,{base64.b64encode(kept).decode()}"
