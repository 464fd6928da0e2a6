import numpy as np
import pytest

from spikeloom.config import parse_config
from spikeloom.training.augment import KNOTS, augment, distort

IMAGE = np.array([[0, 0, 0], [0, 200, 100], [0, 0, 0]], dtype=np.uint8).reshape(1, 9)


def distorted(images, down=0.0, right=0.0, turn=0.0, size=1.0):
    one = np.ones(len(images))
    return distort(images, (3, 3), (down * one, right * one, np.deg2rad(turn) * one, size * one))


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        pytest.param({}, [[0, 0, 0], [0, 200, 100], [0, 0, 0]], id="not at all"),
        pytest.param({"down": 1.0}, [[0, 0, 0], [0, 0, 0], [0, 200, 100]], id="down"),
        pytest.param({"right": -1.0}, [[0, 0, 0], [200, 100, 0], [0, 0, 0]], id="left"),
        pytest.param({"right": 1.0}, [[0, 0, 0], [0, 0, 200], [0, 0, 0]], id="off the edge"),
        pytest.param({"down": -0.5}, [[0, 100, 50], [0, 100, 50], [0, 0, 0]], id="half up"),
        pytest.param({"right": 0.25}, [[0, 0, 0], [0, 150, 125], [0, 0, 0]], id="a quarter"),
        pytest.param({"down": -3.0}, [[0] * 3] * 3, id="out of sight"),
        pytest.param({"turn": 90.0}, [[0, 0, 0], [0, 200, 0], [0, 100, 0]], id="clockwise"),
        pytest.param({"turn": 180.0}, [[0, 0, 0], [100, 200, 0], [0, 0, 0]], id="half a turn"),
        pytest.param({"size": 2.0}, [[50, 100, 75], [100, 200, 150], [50, 100, 75]], id="larger"),
        pytest.param({"size": 0.5}, [[0, 0, 0], [0, 200, 0], [0, 0, 0]], id="smaller"),
    ],
)
def test_images_are_moved_turned_and_enlarged(how, wanted):
    moved = distorted(IMAGE, **how)
    assert moved.dtype == np.uint8
    assert moved.reshape(3, 3).tolist() == wanted


@pytest.mark.parametrize(
    ("axis", "wanted"),
    [
        pytest.param(0, [[0, 0, 0], [0, 0, 0], [0, 200, 100]], id="all knots down"),
        pytest.param(1, [[0, 0, 0], [0, 0, 200], [0, 0, 0]], id="all knots to the right"),
    ],
)
def test_knots_that_move_alike_move_the_image(axis, wanted):
    still = (np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1))
    knots = np.zeros((2, 1, KNOTS, KNOTS))
    knots[axis] = 1.0
    assert distort(IMAGE, (3, 3), still, knots).reshape(3, 3).tolist() == wanted


def test_a_knot_bends_its_surroundings_only():
    side = 4 * (KNOTS - 1) + 1
    image = np.zeros((1, side, side), dtype=np.uint8)
    image[0, :, side // 2] = 200
    still = (np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1))
    knots = np.zeros((2, 1, KNOTS, KNOTS))
    knots[1, 0, KNOTS // 2, KNOTS // 2] = 1.0
    bent = distort(image.reshape(1, -1), (side, side), still, knots).reshape(side, side)
    changed = np.flatnonzero((bent != image[0]).any(axis=1))
    assert changed.tolist() == list(range(side // 2 - 3, side // 2 + 4))
    assert bent[side // 2, side // 2 + 1] > bent[side // 2, side // 2]


def test_each_image_has_its_own_distortion():
    images = np.concatenate([IMAGE, IMAGE])
    how = np.array([[1.0, -1.0], [0.5, 0.0], [0.3, -0.2], [1.1, 0.9]])
    both = distort(images, (3, 3), (how[0], how[1], how[2], how[3]))
    for i in range(2):
        alone = how[:, i : i + 1]
        moved = distort(IMAGE, (3, 3), (alone[0], alone[1], alone[2], alone[3]))
        assert np.array_equal(both[i], moved[0])


@pytest.mark.parametrize(
    "key", ["shift = 0.5", "rotation = 20.0", "zoom = 0.3", "noise = 30.0", "elastic = 0.5"]
)
def test_each_key_distorts_and_its_absence_does_not(key):
    images = np.repeat(IMAGE, 50, axis=0)

    def run(text):
        training = parse_config(f"[training]\n{text}", source="x").training
        return augment(images, (3, 3), training, np.random.default_rng(1))

    assert np.array_equal(run(""), images)
    changed = run(key)
    assert len(np.unique(changed, axis=0)) > 10
    assert np.array_equal(changed, run(key))
