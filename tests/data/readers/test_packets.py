import av
import numpy as np
import pytest
from encode import encode_video, numbered_frames

from vidattn.data.readers.packets import PacketIndex, PacketInfo


def index_of(*packets: PacketInfo, one_frame_each: bool = True, reorders: bool = False) -> PacketIndex:
    return PacketIndex(packets, one_frame_each, reorders)


KEY, LATER = PacketInfo(0, 0, True), PacketInfo(1, 1, False)


@pytest.mark.parametrize(
    ("packets", "trusted"),
    [
        ((KEY, LATER), True),
        ((KEY, PacketInfo(None, 1, False)), False),
        ((KEY, PacketInfo(0, 1, False)), False),  # the same time twice
        ((KEY, LATER._replace(is_corrupt=True)), False),
        ((LATER, KEY._replace(pts=2)), False),  # opens without a keyframe
        ((KEY, PacketInfo(-1, 1, False)), False),  # opens with a frame shown before its keyframe
        ((KEY._replace(is_discard=True), LATER), True),
        ((KEY._replace(is_discard=True),), False),
        ((), False),
    ],
)
def test_index_is_trusted_only_where_packets_tell_the_frames(packets, trusted):
    assert index_of(*packets).trusted is trusted


def test_index_of_an_unknown_codec_is_never_trusted():
    assert not index_of(KEY, LATER, one_frame_each=False).trusted


def test_times_in_file_order_are_not_trusted_where_frames_are_reordered():
    assert not index_of(KEY, LATER, reorders=True).trusted
    assert index_of(KEY, PacketInfo(2, 1, False), LATER, reorders=True).trusted
    assert index_of(KEY, reorders=True).trusted


def test_frames_are_in_order_of_presentation_without_those_before_the_edit_list():
    index = index_of(PacketInfo(-2, 0, True, is_discard=True), PacketInfo(4, 1, False), PacketInfo(2, 2, False))

    assert index.pts == [2, 4]
    assert index.shown == [2, 1]


def test_frame_shown_before_its_keyframe_starts_a_group_earlier():
    # Decode order; the group of keyframe 30 is open: 25 is shown before it and refers to the group of 0.
    pts = [0, 10, 20, 30, 25, 40, 60, 50]
    index = index_of(*(PacketInfo(p, i, p in (0, 30, 60)) for i, p in enumerate(pts)))
    frame = {p: sorted(pts).index(p) for p in pts}

    assert index.runs([frame[25]]) == [range(0, 5)]
    assert index.runs([frame[40]]) == [range(3, 6)]
    assert index.runs([frame[50]]) == [range(3, 8)]


def test_runs_jump_over_groups_and_stop_at_the_last_wanted_packet(tmp_path):
    path = encode_video(tmp_path / "a.mp4", numbered_frames(40), options={"g": "8", "bf": "0"})
    with av.open(str(path)) as container:
        index = PacketIndex.read(container, container.streams.video[0])

    assert index.trusted
    assert index.runs([3, 34, 1]) == [range(0, 4), range(32, 35)]
    assert index.runs([7, 8]) == [range(0, 9)]  # nothing lies between: one run


def test_interlaced_video_is_not_trusted(tmp_path):
    options = {"flags": "+ildct+ilme", "x264-params": "interlaced=1"}
    path = encode_video(tmp_path / "a.mp4", numbered_frames(8), options=options)
    with av.open(str(path)) as container:
        assert not PacketIndex.read(container, container.streams.video[0]).trusted


def test_b_frames_that_were_allowed_and_not_used_leave_the_index_trusted(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 48, 64, 3), np.uint8)
    for name, trusted in (("a.mp4", True), ("a.avi", False)):  # AVI stores no times
        path = encode_video(tmp_path / name, noise, options={"bf": "2"})
        with av.open(str(path)) as container:
            index = PacketIndex.read(container, container.streams.video[0])
        assert [packet.pts for packet in index.packets] == index.pts  # in file order
        assert index.trusted is trusted
