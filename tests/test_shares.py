from shares import LONGEST, SHARE_NOTHING, TESTS, TOGETHER

files_at = [TESTS / name for name in LONGEST]


def test_the_files_that_are_named_are_there():
    there = [str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")]
    assert set(LONGEST) <= set(there)
    assert {*SHARE_NOTHING, *TOGETHER} <= {name.rpartition("/")[2] for name in there}


def test_the_longest_begin(request):
    files = dict.fromkeys(item.path for item in request.session.items)
    places = [files_at.index(file) for file in files if file in files_at]
    assert places == sorted(places)
