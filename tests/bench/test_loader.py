from vidattn.bench.loader import bottleneck, training_speed
from vidattn.models.presets import preset


def test_workers_are_rounded_up():
    assert "2 workers feed it" in bottleneck(10, 10.5, cores=2)
    assert "1 worker feeds it" in bottleneck(10, 10, cores=2)
    assert "bottleneck" in bottleneck(10, 20.5, cores=2)


def test_a_training_step_is_measured():
    assert training_speed(preset("Ti", attention="divided", num_frames=2, image_size=32), rounds=1, batch_size=1) > 0
