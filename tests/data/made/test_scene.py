"""What a motion is: which phase drifts, what it moves on the screen, and that a still does not tell."""

import numpy as np
import pytest

from vidattn.data.made.scene import MOTIONS, TRAVEL, random_motion, render


def still(x: float = 0.5, y: float = 0.5, scale: float = 0.2, angle: float = 0.1, size: int = 64) -> np.ndarray:
    """Spot, ring and hand of one frame, in 0..255."""
    return (255 * render(np.array([[x], [y], [scale], [angle]], dtype=np.float32), size)[0]).astype(int)


@pytest.mark.parametrize("frame", [0, 7])
@pytest.mark.parametrize("name", MOTIONS)
def test_every_phase_of_every_frame_is_uniform_in_every_class(name: str, frame: int):
    rng = np.random.default_rng(0)
    index = list(MOTIONS).index(name)
    phases = np.stack([random_motion(index, 8, rng)[:, frame] for _ in range(2000)])
    for phase in phases.T:
        counts = np.histogram(phase, bins=10, range=(0, 1))[0]
        assert counts.sum() == 2000
        assert ((counts - 200) ** 2 / 200).sum() < 33.7  # chi-square, 9 degrees of freedom, p = 1e-4


@pytest.mark.parametrize("name", MOTIONS)
def test_one_phase_drifts_steadily_and_the_others_rest(name: str):
    index = list(MOTIONS).index(name)
    phases = random_motion(index, 8, np.random.default_rng(1))
    steps = (np.diff(phases) + 0.5) % 1 - 0.5
    drifting, sign = MOTIONS[name]
    np.testing.assert_allclose(steps[drifting], sign * TRAVEL / 8, atol=1e-6)
    assert (np.delete(steps, drifting, axis=0) == 0).all()


@pytest.mark.parametrize(
    ("name", "axis", "sign"), [("move_left", 1, -1), ("move_right", 1, 1), ("move_up", 0, -1), ("move_down", 0, 1)]
)
def test_moves_shift_the_spot_the_way_they_say(name: str, axis: int, sign: int):
    phases = random_motion(list(MOTIONS).index(name), 7, np.random.default_rng(0))
    spot = render(phases, 40)[..., 0]  # 0.7 of 40 pixels in 7 frames
    np.testing.assert_allclose(np.roll(spot[0], sign * 4, axis), spot[1], atol=1e-4)


def test_turning_right_by_a_quarter_is_a_clockwise_quarter_turn():
    assert MOTIONS["turn_right"] == (3, 1)
    assert np.abs(np.rot90(still(angle=0.1), k=-1) - still(angle=0.35))[..., 2].max() <= 1


def test_growing_widens_the_ring():
    assert MOTIONS["grow"] == (2, 1)
    widths = [np.flatnonzero(still(scale=scale)[32, 32:, 1] > 128).mean() for scale in (0.0, 0.25, 0.5, 0.75)]
    np.testing.assert_allclose(np.diff(widths), 0.1 * 64, atol=1.0)


@pytest.mark.parametrize(("phase", "part"), [("x", 0), ("y", 0), ("scale", 1), ("angle", 2)])
def test_a_phase_moves_one_part_only_and_a_whole_period_changes_nothing(phase: str, part: int):
    change = np.abs(still(**{phase: 0.3}) - still(**{phase: 0.8})).max((0, 1))
    assert change[part] > 100
    assert not np.delete(change, part).any()
    assert np.abs(still(**{phase: 0.3}) - still(**{phase: 1.3})).max() <= 1
