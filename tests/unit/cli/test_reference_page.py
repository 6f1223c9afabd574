"""docs/cli.md is made from the program, whole and up to date."""

from pathlib import Path

from surefoot.cli.failures import EXIT_CODES
from surefoot.cli.reference import all_commands, reference_text

COMMITTED = Path(__file__).parents[3] / "docs/cli.md"


def test_the_committed_page_is_the_programs() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == reference_text(), (
        "run: python -m surefoot.cli.reference > docs/cli.md"
    )


def test_every_command_has_its_section() -> None:
    words = [words for words, _ in all_commands()]
    assert {"surefoot", "surefoot serve", "surefoot models prepare"} <= set(words)
    assert [line[3:] for line in reference_text().splitlines() if line.startswith("## surefoot")] == words


def test_every_option_is_there_with_its_meaning() -> None:
    page = reference_text()
    parameters = [parameter for _, command in all_commands() for parameter in command.params]
    assert all(parameter.help for parameter in parameters)
    assert all(parameter.opts[-1] in page for parameter in parameters if parameter.opts[0][0] == "-")


def test_every_exit_code_is_there() -> None:
    page = reference_text()
    assert all(f"| {code} | {meaning} |" in page for code, meaning in EXIT_CODES.items())
