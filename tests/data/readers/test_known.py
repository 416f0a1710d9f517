from vidattn.data.readers.known import NOTHING, Known, pack, unpack
from vidattn.data.readers.packets import PacketInfo


def test_packets_with_absent_times_and_all_flags_come_back():
    packets = (
        PacketInfo(0, -512, True),
        PacketInfo(None, 0, False, True, False),
        PacketInfo(2**62, None, False, False, True),
        PacketInfo(-(2**62), 5, True, True, True),
    )
    assert unpack(pack(packets)) == packets


def test_nothing_is_known_at_first():
    assert Known() == NOTHING
    assert not NOTHING.packets
    assert not NOTHING.unsafe
