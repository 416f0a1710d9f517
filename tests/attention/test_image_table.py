from pathlib import Path

from vidattn.attention.image_table import image_table
from vidattn.attention.scheme import IMAGE_STEPS
from vidattn.tables import markdown


def test_every_block_says_what_a_pixel_sees_of_it_what_it_costs_and_where_it_is_from():
    rows = image_table()
    assert [row["name"] for row in rows] == IMAGE_STEPS
    assert all(all(row.values()) for row in rows)


def test_the_page_holds_the_table():
    page = Path(__file__).parents[2] / "notebooks" / "image_blocks.md"
    assert markdown(image_table()) in page.read_text()
