"""What an evaluation leaves in its directory: texts, and a picture where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console

from surefoot.cli.failures import FileFailed
from surefoot.cli.row_file import write_files
from surefoot.evaluation.pictures import can_draw, picture_paths


def check_directory(out: Path) -> None:
    """Raises `typer.BadParameter` where there is something else."""
    if out.exists() and not out.is_dir():
        raise typer.BadParameter("no directory can be there", param_hint="--out")


def made_directory(out: Path) -> None:
    """Make it if it is not there. Raises `typer.BadParameter` and `FileFailed`."""
    check_directory(out)
    with file_errors():
        out.mkdir(parents=True, exist_ok=True)


@contextmanager
def file_errors() -> Iterator[None]:
    """Raises `FileFailed` for an `OSError` within."""
    try:
        yield
    except OSError as cause:
        raise FileFailed(f"cannot read or write: {cause.strerror}") from cause


def write_report(
    directory: Path,
    texts: Mapping[str, Callable[[str | None], str]],
    picture: str,
    draw: Callable[[Sequence[Path]], None],
) -> list[Path]:
    """Write the picture as PNG and SVG, then the texts, which are told the picture's file name, `None` without one.

    In the order in which they are told of. Raises `FileFailed`.
    """
    pictures = draw_pictures(directory, {picture: draw})
    shown = pictures[0].name if pictures else None
    return [*write_files(directory, {name: [text(shown)] for name, text in texts.items()}), *pictures]


def draw_pictures(directory: Path, pictures: Mapping[str, Callable[[Sequence[Path]], None]]) -> list[Path]:
    """Write each picture as PNG and SVG under its name, none without matplotlib. Raises `FileFailed`."""
    drawn: list[Path] = []
    with file_errors():
        directory.mkdir(parents=True, exist_ok=True)
        for name, draw in pictures.items() if can_draw() else ():
            paths = picture_paths(directory, name)
            draw(paths)
            drawn += paths
    return drawn


def show_files(files: Sequence[Path], console: Console) -> None:
    """Where everything is, and what to install if there is no picture."""
    for path in files:
        console.print(f"wrote {path}", markup=False)
    if not any(path.suffix == ".png" for path in files):
        console.print("no picture: matplotlib is not installed, pip install 'surefoot[plots]' brings it", markup=False)
