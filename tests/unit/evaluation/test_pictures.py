"""The house style: colours and marks that everybody can tell apart, and files that are the same each time."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from surefoot.evaluation.pictures import FORMATS, LOOKS, look, picture_paths, picture_style, save_picture

ROOT = Path(__file__).parents[3]
# Of linear RGB as those without red, green or blue cones see it: Viénot, Brettel and Mollon (1999) for the first two.
SEEN = {
    "usual": np.eye(3),
    "protan": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    "deutan": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
}


def lightness_and_hue(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIELAB, in which a distance of 10 is seen at a glance."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(seen @ linear, 0, 1) / (0.9505, 1.0, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("seen", SEEN)
def test_colours_are_told_apart_whoever_looks(seen: str) -> None:
    for first, second in combinations(LOOKS, 2):
        apart = np.linalg.norm(
            lightness_and_hue(first.colour, SEEN[seen]) - lightness_and_hue(second.colour, SEEN[seen])
        )
        assert apart > 10, (first, second)


@pytest.mark.parametrize("mark", ["marker", "dashes", "hatch"])
def test_without_colour_marks_tell_them_apart(mark: str) -> None:
    assert len({getattr(each, mark) for each in LOOKS}) == len(LOOKS)


def test_every_colour_stands_out_on_white_paper() -> None:
    assert all(lightness_and_hue(each.colour, SEEN["usual"])[0] < 75 for each in LOOKS)


def test_looks_begin_again_after_the_last() -> None:
    assert look(len(LOOKS)) == LOOKS[0]


def drawn(directory: Path) -> dict[str, bytes]:
    directory.mkdir()
    with picture_style():
        figure = Figure(figsize=(3, 2), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [1, 0], label="a line")
        axes.legend()
        save_picture(figure, picture_paths(directory, "p"))
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_the_same_picture_is_the_same_file_in_both_formats(tmp_path) -> None:
    first, second = drawn(tmp_path / "a"), drawn(tmp_path / "b")
    assert first == second
    assert set(first) == {f"p.{ending}" for ending in FORMATS}
    assert imread(tmp_path / "a" / "p.png").shape[1] == 450


def test_a_picture_tells_no_date_and_fetches_nothing(tmp_path) -> None:
    text = drawn(tmp_path / "a")["p.svg"].decode()
    assert "<dc:date>" not in text
    assert "@font-face" not in text
    assert not re.search(r'(?:href|src|url)\s*[=(]\s*["\']?https?:', text)


def test_no_colour_is_chosen_elsewhere() -> None:
    places = [*(ROOT / "service").rglob("*.py"), *(ROOT / "loadtests").rglob("*.py")]
    choosing = [path.name for path in places if re.search(r'"#[0-9A-Fa-f]{6}"|cmap="', path.read_text("utf-8"))]
    assert choosing == ["pictures.py"]
