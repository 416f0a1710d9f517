import io

import pytest
from rich.console import Console
from rich.table import Table

from vidattn.classify.show.bar import Bar


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "\u2588"), ("ascii", "#")])
def test_a_bar_has_its_length_in_signs_that_the_output_has(encoding, sign):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    table = Table.grid()
    table.add_row(Bar(5), "five")
    Console(file=file, width=40).print(table)
    file.seek(0)

    assert file.read().split() == [5 * sign + "five"]
