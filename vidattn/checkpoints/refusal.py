"""Why a file is not read. (PyTorch's own message advises to unpickle it all the same, which would run its code.)"""

import re

WANTED = "wanted a .safetensors, .ckpt, .pth, .pyth, .pt or .bin file, or a folder"
STATE_DICT = "save its state_dict (torch.save(model.state_dict(), ...)), or give a safetensors file or a folder"


def refusal(start: bytes, reason: str) -> str:
    """What is wrong with a file that could not be read, and what to give instead.

    >>> refusal(b"import torch", "Weights only load failed.")
    'is no checkpoint; wanted a .safetensors, .ckpt, .pth, .pyth, .pt or .bin file, or a folder'

    Args:
        start: its first 12 bytes.
        reason: what the reader said.
    """
    if not start:
        return "not a readable checkpoint (the file is empty); copy or download it again"
    if start == b"version http":
        return "a pointer that Git LFS left, not the weights; fetch them with git lfs pull"
    if unsafe := re.search(r"\bGLOBAL ([\w.]+)", reason):
        return f"holds Python objects or code ({unsafe[1]}), which is never unpickled; {STATE_DICT}"
    safetensors, archive, pickle = start[8:9] == b"{", start[:2] == b"PK", start[:1] == b"\x80"
    if not (safetensors or archive or pickle):
        return f"is no checkpoint; {WANTED}"
    if "weights_only" in reason:
        return (
            "not a readable checkpoint (it is damaged, or holds Python objects or code, which is never unpickled); "
            f"copy or download it again, or {STATE_DICT}"
        )
    return f"not a readable checkpoint ({reason.splitlines()[0]}); copy or download it again"
