"""Which row of a table belongs to which offset."""

import torch

from vidattn.attention.relative_positions import offset_vectors, resized_offsets


def test_offsets_are_counted_in_steps_of_the_longer_map():
    table = torch.arange(111.0)[:, None]
    found = offset_vectors(table, 56, 7).squeeze(-1)
    assert (found.min(), found.max()) == (0, 103)  # not centred, as in MViTv2's code
    assert offset_vectors(table, 56, 56).squeeze(-1)[3].tolist() == [3.0 + 55 - j for j in range(56)]


def test_a_table_for_another_number_of_offsets_goes_on_in_a_line():
    table = torch.linspace(0, 1, 5)[:, None]
    assert resized_offsets(table, 5) is table
    found = resized_offsets(table, 10).squeeze(-1)
    assert (found.diff() >= 0).all()
    assert (found[0], found[-1]) == (0, 1)
