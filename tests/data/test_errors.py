import pickle

import pytest

from vidattn.data.errors import DecoderKilledError, DecodeTimeoutError, PassingError, VideoDecodeError


@pytest.mark.parametrize("kind", [VideoDecodeError, DecodeTimeoutError, PassingError, DecoderKilledError])
def test_errors_come_out_of_a_worker_as_they_went_in(kind):
    error = kind("a.mp4", "the file is empty")
    back = pickle.loads(pickle.dumps(error))

    assert type(back) is kind
    assert (back.path, back.reason, str(back)) == ("a.mp4", "the file is empty", "a.mp4: the file is empty")
    assert str(kind(str(error))) == str(error)  # as torch makes it anew, from the message
