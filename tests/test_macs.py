from vidattn.macs import Macs


def test_costs_add_part_by_part_and_multiply():
    cost = Macs(linear=2, attention=3) + 2 * Macs(linear=1, attention=5)
    assert cost == Macs(linear=4, attention=13)
    assert cost.total == 17
    assert cost.flops == 34
