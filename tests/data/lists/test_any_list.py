import csv

import pytest
from list_files import write

from vidattn.data.videos.manifest import ManifestError, read_manifest


@pytest.mark.parametrize(
    ("head", "row"),
    [("path,labels,start,end,start_frame,end_frame", "a.mp4"), ("label,youtube_id,time_start,time_end,split", "x")],
)
def test_a_row_that_is_cut_short_is_shown(tmp_path, head, row):
    with pytest.raises(ManifestError, match=rf"1 bad row, expected .*:\n  line 2: '{row},None,None"):
        read_manifest(write(tmp_path / "list.csv", head, row))


@pytest.mark.parametrize(
    "head", ["path,labels,start,end,start_frame,end_frame", "label,youtube_id,time_start,time_end,split"]
)
def test_a_quote_that_is_not_closed_names_its_line(tmp_path, head):
    source = write(tmp_path / "list.csv", head, "a,b,1,2,,", '"' + "c" * csv.field_size_limit(), "d")

    with pytest.raises(
        ManifestError, match=r"list.csv, line 3: field larger than .*; expected CSV in which each quote"
    ):
        read_manifest(source)
