import os
from multiprocessing import get_context

from prepare_run import run

from vidattn.data.prepare import transcode_all as pool_module
from vidattn.data.prepare.transcode import Transcoding


def test_a_process_that_dies_over_a_video_costs_that_video_only(dataset, tmp_path, monkeypatch):
    transcode = Transcoding.run

    def die(self, source, target, folder_fps=None):
        if source.endswith("b/2.mp4"):
            target.parent.mkdir(parents=True, exist_ok=True)  # its neighbour may not have come so far
            target.with_name(target.name + ".part").write_bytes(b"half")
            os._exit(1)
        return transcode(self, source, target, folder_fps)

    monkeypatch.setattr(Transcoding, "run", die)
    monkeypatch.setattr(pool_module, "get_context", lambda method: get_context("fork"))
    report = run(dataset, tmp_path / "out")

    assert set(report["failed"]) == {str(dataset / "b" / name) for name in ("2.mp4", "broken.mp4")}
    assert "its process died" in report["failed"][str(dataset / "b" / "2.mp4")]
    assert report["videos"] == 5
