from vidattn.data.boxes.box_list import BoxList
from vidattn.data.boxes.row import BoxListing, BoxRow
from vidattn.data.check.box_findings import EMPTY, NO_FRAME, OUTSIDE, OVER, TWICE, box_findings
from vidattn.data.check.findings import Findings
from vidattn.data.check.probe import Probe
from vidattn.data.videos.manifest import Manifest, Video


def row(place, box=(0.1, 0.1, 0.5, 0.5), label="jump", video="/d/a.mp4", **more):
    return BoxRow(f"line {place}", video, box, label, **({"frame": 0} | more))


ROWS = [
    row(2, person="1"),
    row(3, (0.2, 0.1, 0.5, 0.5), person="1"),
    row(4, label="run", person="1"),
    row(5, (0.5, 0.1, 0.5, 0.5)),
    row(6, (1.1, 0.1, 1.5, 0.5)),
    row(7, (-0.2, 0.1, 0.5, 0.5)),
    row(8, (-0.005, 0.1, 0.5, 1.005)),
    row(9, frame=10),
    row(10, frame=None, second=2.1),
    row(11, frame=None, second=1.95),
    row(12, (70, 0, 90, 40), size=None),
    row(13, (10, 0, 20, 40), size=(20.0, 40.0)),
    row(14, video="/d/other.mp4"),
]


def found():
    manifests = {
        "train": Manifest([Video("/d/a.mp4", None), Video("/d/b.mp4", None)], [], "train.csv"),
        "val": Manifest([Video("/d/a.mp4", None)], [], "val.csv"),
    }
    probes = {path: Probe(path, num_frames=10, fps=5.0, width=80, height=40) for path in ("/d/a.mp4", "/d/b.mp4")}
    boxes = BoxList.of("b.csv", [BoxListing(ROWS, ["jump", "run", "sit"])])
    return box_findings(boxes, Findings(manifests, probes))


def test_each_fault_is_told_with_its_row_once_however_many_splits_have_the_video():
    places = {
        problem: [where.split(" ")[2].rstrip(",") for where in wheres] for problem, wheres in found().problems.items()
    }
    assert places == {NO_FRAME: ["9", "10"], EMPTY: ["5"], OUTSIDE: ["6"], OVER: ["7", "12"], TWICE: ["3"]}
    assert found().problems[NO_FRAME][0] == "a.mp4, line 9 (a.mp4 has 10 frames)"
    assert found().rows == 12


def test_classes_and_videos_without_boxes_are_told_by_split():
    assert found().empty_classes == {"train": ["sit"], "val": ["sit"]}
    assert found().of_class["val"] == {"jump": 11, "run": 1, "sit": 0}
    assert found().without == {"train": ["/d/b.mp4"]}
    assert found().unlisted == ["/d/other.mp4"]
