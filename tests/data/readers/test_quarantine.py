import multiprocessing
import os

import pytest

from vidattn.data.readers.quarantine import Quarantine, QuarantinedError


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "my, bad.mp4"
    path.write_bytes(b"bad")
    return str(path)


def test_what_one_process_adds_the_next_and_others_that_run_do_not_open(tmp_path, bad):
    running = Quarantine(tmp_path / "lists" / "q.csv")
    running.check(bad)

    Quarantine(tmp_path / "lists" / "q.csv").add({bad: 'two\nlines, "quoted"'})

    for one in (running, Quarantine(tmp_path / "lists" / "q.csv")):
        with pytest.raises(QuarantinedError, match=r'bad\.mp4: on the quarantine list .*q\.csv: two lines, "quoted"'):
            one.check(bad)


def test_a_file_that_was_written_anew_is_good_again(tmp_path, bad):
    quarantine = Quarantine(tmp_path / "q.csv")
    quarantine.add({bad: "broken"})
    os.utime(bad, ns=(1, 1))
    quarantine.check(bad)

    quarantine.add({bad: "still broken"})
    with pytest.raises(QuarantinedError, match="still broken"):
        quarantine.check(bad)


def test_the_videos_of_a_shard_that_was_written_anew_are_good_again(tmp_path):
    shard = tmp_path / "shard-00000.tar"
    shard.write_bytes(b"cut")
    member = f"{shard}#512+30000#dance/a.mp4"
    quarantine = Quarantine(tmp_path / "q.csv")
    quarantine.add({member: "the shard ends after 0 of these bytes"})
    with pytest.raises(QuarantinedError):
        quarantine.check(member)

    shard.write_bytes(b"whole again")
    quarantine.check(member)


def test_a_video_in_a_shard_behind_a_url_stays_on_the_list_in_any_folder(tmp_path, monkeypatch):
    member = "s3://bucket/shard-00000.tar#512+30000#dance/a.mp4"
    Quarantine(tmp_path / "q.csv").add({member: "broken"})
    monkeypatch.chdir("/")

    with pytest.raises(QuarantinedError, match="broken"):
        Quarantine(tmp_path / "q.csv").check(member)


def test_a_missing_file_stays_on_the_list_until_it_comes(tmp_path):
    quarantine = Quarantine(tmp_path / "q.csv")
    quarantine.add({str(tmp_path / "gone.mp4"): "no such file"})

    with pytest.raises(QuarantinedError):
        quarantine.check(str(tmp_path / "gone.mp4"))
    (tmp_path / "gone.mp4").touch()
    quarantine.check(str(tmp_path / "gone.mp4"))


def add_many(path, start):
    for number in range(start, start + 100):
        Quarantine(path).add({f"{number}.mp4": "broken " * 20})


def test_processes_that_add_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=add_many, args=(tmp_path / "q.csv", start)) for start in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert len(Quarantine(tmp_path / "q.csv")) == 200


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path, bad):
    quarantine = Quarantine(tmp_path / "q.csv")
    quarantine.add({bad: "broken"})
    with quarantine.path.open("a") as stream:
        stream.write("half a li")

    assert len(quarantine) == 1


def test_a_list_that_does_not_end_its_last_line_is_added_to_on_the_next(tmp_path, bad):
    quarantine = Quarantine(tmp_path / "q.csv")
    quarantine.add({bad: "broken"})
    quarantine.path.write_text(quarantine.path.read_text().rstrip())  # as an editor may save it

    quarantine.add({"other.mp4": "broken"})

    assert len(quarantine) == 2
    quarantine.add({"third.mp4": "broken"})
    assert len(Quarantine(quarantine.path)) == 3


def test_another_file_is_not_taken_for_a_list(tmp_path, bad):
    (tmp_path / "q.csv").write_text("a.mp4 3\n")

    with pytest.raises(ValueError, match=r"q\.csv: 'a\.mp4 3' is no line of a quarantine list"):
        Quarantine(tmp_path / "q.csv").check(bad)


def test_a_name_with_a_line_break_is_found_again(tmp_path):
    path = tmp_path / "new\nline.mp4"
    path.write_bytes(b"no video")
    Quarantine(tmp_path / "q.csv").add({str(path): "broken"})

    with pytest.raises(QuarantinedError):
        Quarantine(tmp_path / "q.csv").check(str(path))
