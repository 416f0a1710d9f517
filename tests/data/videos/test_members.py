import tarfile

import pytest

from vidattn.data.errors import VideoDecodeError
from vidattn.data.videos.members import Member


def test_a_member_is_its_bytes_of_the_shard(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"one video")
    with tarfile.open(tmp_path / "s.tar", "w") as shard:
        shard.add(tmp_path / "a.mp4", "dance/a#1+2.mp4")
    with tarfile.open(tmp_path / "s.tar") as shard:
        entry = shard.getmembers()[0]

    member = Member.parse(f"{tmp_path}/s.tar#{entry.offset_data}+{entry.size}#{entry.name}")

    assert member.name == "dance/a#1+2.mp4"
    assert member.read() == b"one video"
    with pytest.raises(VideoDecodeError, match="the shard ends after"):
        member._replace(size=10**6).read()
    with pytest.raises(VideoDecodeError, match="cannot read the shard"):
        member._replace(shard=str(tmp_path / "gone.tar")).read()
