"""Frames as text that a page holds."""

import base64
from io import BytesIO

import numpy as np
from PIL import Image


def frame_uri(frame: np.ndarray) -> str:
    """uint8 `(H, W, 3)` as a JPEG in a data address."""
    out = BytesIO()
    Image.fromarray(frame).save(out, "jpeg", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
