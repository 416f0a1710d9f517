"""Features on disk: found again, never those of another file or network, and nothing lost where work is broken off."""

import pytest
import torch

from vidattn import preset
from vidattn.data.videos.manifest import Video
from vidattn.models import build_network
from vidattn.probing import FeatureStore
from vidattn.probing.store import fingerprint


@pytest.fixture
def videos(tmp_path):
    found = []
    for number in range(5):
        (tmp_path / f"{number}.mp4").write_bytes(bytes(number + 1))
        found.append(Video(str(tmp_path / f"{number}.mp4"), 0))
    return found


def features(number, views=2):
    return torch.full((views, 3), float(number))


def test_features_come_back_in_a_later_run(videos, tmp_path):
    with FeatureStore(tmp_path / "store", {"network": "a"}, part_bytes=40) as store:
        for number, video in enumerate(videos):
            store.add(video, features(number, views=1 + number % 2))

    again = FeatureStore(tmp_path / "store", {"network": "a"})

    assert len(again) == 5
    for number, video in enumerate(videos):
        assert torch.equal(again.rows(video), features(number, views=1 + number % 2))
    assert len(list(again.folder.glob("part-*.safetensors"))) > 1


def test_another_network_has_a_store_of_its_own(videos, tmp_path):
    with FeatureStore(tmp_path, {"network": "a"}) as store:
        store.add(videos[0], features(1))

    assert videos[0] not in FeatureStore(tmp_path, {"network": "b"})


def test_a_changed_file_and_another_segment_are_other_videos(videos, tmp_path):
    with FeatureStore(tmp_path / "store", {}) as store:
        store.add(videos[0], features(1))
    assert videos[0] in store
    assert Video(videos[0].path, 0, start=1.0) not in store

    (tmp_path / "0.mp4").write_bytes(b"longer than before")

    assert videos[0] not in store


def test_what_was_done_is_there_after_an_interruption(videos, tmp_path):
    def broken_off():
        with FeatureStore(tmp_path / "store", {}) as store:
            for number in range(5):
                if number == 2:
                    raise KeyboardInterrupt
                store.add(videos[number], features(number))

    with pytest.raises(KeyboardInterrupt):
        broken_off()

    with FeatureStore(tmp_path / "store", {}) as store:
        assert [video in store for video in videos[:3]] == [True, True, False]
        store.add(videos[2], features(2))

    assert torch.equal(FeatureStore(tmp_path / "store", {}).rows(videos[2]), features(2))


def test_rows_are_of_the_file_and_not_read_before_they_are_used(videos, tmp_path):
    """A store of 64 MB costs no memory when a row of it is read."""
    with FeatureStore(tmp_path / "store", {}) as store:
        store.add(videos[0], torch.ones(16, 1 << 20))
    before = resident()

    row = FeatureStore(tmp_path / "store", {}).rows(videos[0])[3]

    assert row[0] == 1
    assert resident() - before < 16 << 20


def resident():
    """Bytes of this process's memory that no file stands behind."""
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))  # noqa: SIM115
    return int(status["RssAnon"].split()[0]) << 10


def test_a_damaged_part_is_named_with_the_way_out(videos, tmp_path):
    with FeatureStore(tmp_path / "store", {}) as store:
        store.add(videos[0], features(0))
    part = next(store.folder.glob("part-*"))
    part.write_bytes(part.read_bytes()[:20])

    with pytest.raises(ValueError, match=r"part-00000.*delete it, and they are computed again"):
        FeatureStore(tmp_path / "store", {})


def test_a_fingerprint_tells_networks_apart_by_their_weights():
    torch.manual_seed(0)
    network = build_network(preset("Ti", depth=1, image_size=32, num_frames=2, num_classes=2))
    before = fingerprint(network)
    assert fingerprint(network) == before

    with torch.no_grad():
        network.head.bias[0] += 1e-3

    assert fingerprint(network) != before
