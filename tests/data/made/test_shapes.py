import numpy as np
import pytest

from vidattn.data.made import shapes
from vidattn.data.made.shapes import ACTIONS, SHAPES, random_scene


@pytest.fixture(autouse=True)
def no_noise(monkeypatch):
    monkeypatch.setattr(shapes, "NOISE", 0)


def scenes(action, count=12, num_frames=16, size=48):
    """Scenes of one shape with the action."""
    index = np.array([ACTIONS.index(action)])
    return [random_scene(index, num_frames, size, np.random.default_rng((index[0], seed))) for seed in range(count)]


def foreground(scene):
    """The pixels that differ from the ground."""
    frames = scene.frames.astype(float)
    ground = np.median(frames[0].reshape(-1, 3), 0)
    return np.abs(frames - ground).max(-1) > 60


@pytest.mark.parametrize(
    ("action", "axis", "sign"), [("move_left", 0, -1), ("move_right", 0, 1), ("move_up", 1, -1), ("move_down", 1, 1)]
)
def test_what_moves_changes_its_place_along_one_axis_alone(action, axis, sign):
    for scene in scenes(action):
        boxes = scene.boxes[0][scene.present[0]]
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        whole = (boxes > 0).all(-1) & (boxes < 1).all(-1)
        steps = np.diff(middle[whole], axis=0)
        assert (sign * steps[:, axis]).sum() >= 0.015 * len(steps)
        assert np.abs(middle[whole][:, 1 - axis] - middle[whole][:1, 1 - axis]).max(initial=0) < 0.03


@pytest.mark.parametrize(("action", "sign"), [("grow", 1), ("shrink", -1)])
def test_what_grows_doubles(action, sign):
    ratios = []
    for scene in scenes(action):
        sides = scene.boxes[0][:, 2:] - scene.boxes[0][:, :2]
        if scene.present[0].all() and ((scene.boxes[0] > 0) & (scene.boxes[0] < 1)).all():
            ratios.append((sides[-1] / sides[0]).mean() ** sign)
    assert len(ratios) > 3
    assert 1.7 < np.mean(ratios) < 2.2


@pytest.mark.parametrize(("action", "sign"), [("turn_left", -1), ("turn_right", 1)])
def test_what_turns_stays_where_it_is_and_turns_that_way(action, sign):
    for scene in scenes(action):
        seen = foreground(scene)
        angles = []
        for frame in seen:
            rows, columns = np.nonzero(frame)
            right, down = columns - columns.mean(), rows - rows.mean()
            third = ((right + 1j * down) ** 3).mean()  # which way the heavier side points, up to thirds of a turn
            angles.append(np.angle(third))
        turned = np.unwrap(angles)[-1] - angles[0]
        assert sign * turned / 3 > 0.25 * 2 * np.pi


def test_boxes_lie_tightly_around_what_is_seen():
    checked = 0
    for action in ACTIONS:
        for scene in scenes(action, count=4):
            seen = foreground(scene)
            for frame in np.flatnonzero(scene.present[0]):
                rows, columns = np.nonzero(seen[frame])
                edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert np.abs(scene.boxes[0, frame] * 48 - edges).max() <= 4
                checked += 1
    assert checked > 300


def test_shapes_leave_and_have_no_box_then():
    gone = [
        scene for action in ("move_left", "move_down") for scene in scenes(action, 20) if not scene.present[0].all()
    ]
    assert 3 < len(gone) < 30
    for scene in gone:
        assert not scene.boxes[0][~scene.present[0]].any()
        assert scene.present[0][0]  # they start within the picture


def test_shapes_start_apart_from_each_other():
    apart = 0
    for seed in range(40):
        scene = random_scene(np.array([1, 2, 6]), 2, 32, np.random.default_rng(seed))
        low = np.maximum(scene.boxes[:, None, 0, :2], scene.boxes[None, :, 0, :2])
        high = np.minimum(scene.boxes[:, None, 0, 2:], scene.boxes[None, :, 0, 2:])
        apart += not ((high - low).min(-1) > 0)[~np.eye(3, dtype=bool)].any()
    assert apart > 25


def test_no_shape_looks_the_same_after_less_than_a_full_turn():
    side = np.linspace(-1.5, 1.5, 60)
    x, y = np.meshgrid(side, side)
    for shape in SHAPES:
        inside = shape(x, y) < 0
        assert 0.15 < inside.mean() * 9 / np.pi < 1
        for angle in np.linspace(0.2, 1.8, 17) * np.pi:
            turned = shape(x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)) < 0
            assert (inside & turned).sum() / (inside | turned).sum() < 0.85
