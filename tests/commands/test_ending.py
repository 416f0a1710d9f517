import pytest
from torch.utils.data import DataLoader, Dataset

from vidattn.commands.ending import mistake
from vidattn.data.errors import DecodeTimeoutError, VideoDecodeError
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import ManifestError


class Failing(Dataset):
    """Fails in the way it is told to."""

    def __init__(self, fail):
        self.fail = fail

    def __len__(self):
        return 1

    def __getitem__(self, index):
        self.fail()


def raises(error):
    raise error


def of_worker(fail):
    with pytest.raises(Exception) as caught:  # noqa: PT011  (whatever comes)
        list(DataLoader(Failing(fail), num_workers=1, multiprocessing_context="fork"))
    return mistake(caught.value)


@pytest.mark.parametrize("error", [VideoDecodeError, DecodeTimeoutError])
def test_a_bad_video_in_a_worker_is_named(error):
    assert of_worker(lambda: raises(error("a.mp4", "empty (ValueError: no data)"))) == (
        "a.mp4: empty (ValueError: no data)"
    )


def test_what_we_refuse_in_a_worker_is_said_and_what_others_raise_is_not():
    assert of_worker(lambda: open_video("a.mp4", "nope")).startswith("reader='nope' is unknown; choose one of")
    assert of_worker(lambda: int("nope")) is None
    assert of_worker(lambda: raises(ManifestError("a.csv: has no rows"))) == "a.csv: has no rows"
    assert of_worker(lambda: raises(ValueError("raised by a library"))) is None
    assert of_worker(lambda: raises(KeyError("file"))) is None
