"""2,000 decodes in one data worker leave its size as it was."""

import resource
from pathlib import Path

import pytest
from backends import need
from encode import encode_video, numbered_frames
from torch.utils.data import DataLoader, Dataset

from vidattn.data.readers import open_video

WARM_UP = 100
LEAK_MIB = 8  # 4 KiB a decode


class Sizes(Dataset):
    """Decodes a clip; what an item is: the size of the process in MiB afterwards."""

    def __init__(self, paths: list[Path], reader: str, count: int) -> None:
        self.paths, self.reader, self.count = paths, reader, count

    def __len__(self) -> int:
        return WARM_UP + self.count

    def __getitem__(self, index: int) -> float:
        path = self.paths[index % len(self.paths)]
        with open_video(path.read_bytes() if index % 3 == 0 else path, self.reader) as video:
            video.frames([1, index % video.num_frames])
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20


# The others open PyAV as well each time: fewer show as much of them.
@pytest.mark.parametrize(("reader", "count"), [("pyav", 2000), ("decord", 300), ("torchcodec", 300)])
def test_a_worker_does_not_grow(tmp_path, reader, count):
    if reader != "pyav":
        need(reader)
    frames = numbered_frames(8)
    paths = [encode_video(tmp_path / "a.mp4", frames, options={"g": "4", "bf": "2", "preset": "ultrafast"})]
    if reader == "pyav":  # counted by decoding, and turned upright
        paths.append(encode_video(tmp_path / "b.avi", frames, codec="mpeg4"))
        paths.append(encode_video(tmp_path / "c.mp4", frames, rotation=90, options={"preset": "ultrafast"}))

    sizes = list(DataLoader(Sizes(paths, reader, count), batch_size=None, num_workers=1))

    before, after = sizes[WARM_UP - 1], sizes[-1]
    assert after < 1.05 * before
    assert after < before + LEAK_MIB
