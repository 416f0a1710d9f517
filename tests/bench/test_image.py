import pytest
import torch

from vidattn.bench.image import peak_mib


def test_memory_is_the_peak_and_not_the_sum():
    mib = 2**18  # floats

    def run() -> None:
        for _ in range(3):
            x = torch.empty(4 * mib)  # 4 MiB at a time
            del x
        kept = [torch.empty(mib) for _ in range(5)]
        del kept

    assert peak_mib(run, torch.device("cpu")) == pytest.approx(5, abs=0.1)
