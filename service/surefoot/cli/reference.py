"""The page of all verbs and options, made from the program itself: `python -m surefoot.cli.reference > docs/cli.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from surefoot.cli.failures import EXIT_CODES
from surefoot.cli.main import app

_HEAD = """# Command line

<!-- Made by `python -m surefoot.cli.reference > docs/cli.md`; change the verbs themselves. -->

Every verb takes `--help`. A file of solutions is scored like this, here on a running server:

<!-- example -->
```bash
cat > in.jsonl <<'END'
{"id": "a", "problem": "What is 2 + 3 * 4?", "steps": ["3 * 4 = 12", "2 + 12 = 14"]}
{"id": "b", "problem": "What is 2 + 3 * 4?", "solution": "2 + 3 = 5\\n5 * 4 = 20\\nThe answer is 20."}
END
surefoot score in.jsonl -o out.jsonl --json --url http://127.0.0.1:8080
```

Without `--url` the models are loaded in this process. The same command goes on where an earlier run stopped; with
`--retry-failed` it first does again what failed for a while only, a deadline or a forward pass say.

## Output for scripts

With `--json` standard output holds one JSON document and nothing else; progress and notices are on standard error.
`score` and `best-of-n` write their rows into the file given by `-o`, and the document is the summary of the run;
without `-o` the rows themselves are on standard output, one JSON object a line. When a verb fails, the document is

```json
{"error": {"code": "…", "message": "…", "param": null}}
```

with the codes of the API, or `usage_error`, `file_failed` or `interrupted`; `param` names the field or option at fault.
The line for a person is on standard error all the same.

## Plain lines

On a terminal `solve`, `score`, `best-of-n` and `demo` show results in colour (NO_COLOR leaves marks and numbers).
Where standard output is a pipe or a file each fact is one line: what it is about, then its fields, separated by tabs.
No line is wrapped or cut, white space within a text is single spaces, control characters are spelt out, and `-`
stands where there is nothing.

| line | fields |
|---|---|
| `problem` | its text |
| `line` | number of the input line, its id (`best-of-n`) |
| `solution` | number of the input line, its id, score, index of the first error (`score`) |
| `candidate` | rank, index, score, index of the first error, answer |
| `step` | line or candidate that it is of, index, score, `first_error` or `-`, text |
| `text` | candidate, its text, where no steps were scored |
| `error` | line or candidate, code, message |
| `vote` | answer, number of votes, weight |
| `pick` | index of the chosen candidate, answer, score |
| `notice` | model, what to know of it |

```bash
surefoot score in.jsonl | grep -P '^step\t' | cut -f 4 | sort -n | head
```

"""

_COMPLETION = """## Completion in the shell

```bash
surefoot --install-completion
```

adds completion to the start file of the shell that it runs in (bash, zsh, fish or PowerShell). In a new shell the Tab
key then completes verbs and options. `--show-completion` prints the script instead, for machines that keep such files
elsewhere.
"""


def reference_text() -> str:
    """The page as Markdown, ending with a newline."""
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    exits = f"## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}\n\n"
    verbs = "".join(_section(words, command) for words, command in all_commands())
    return f"{_HEAD}{exits}{verbs}{_COMPLETION}"


def all_commands() -> Iterator[tuple[str, Any]]:
    """Every command that is shown, as the words that call it and click's object; groups before what is in them."""
    yield from _commands("surefoot", typer.main.get_command(app))


def _commands(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _commands(f"{words} {name}", inner)


def _section(words: str, command: Any) -> str:
    shown = [parameter for parameter in command.params if not parameter.hidden]
    arguments = [parameter for parameter in shown if not _is_option(parameter)]
    options = [parameter for parameter in shown if _is_option(parameter)]
    needed = [f"{option.opts[0]} {_value(option)}" for option in options if option.required]
    inner = ["COMMAND"] if getattr(command, "commands", {}) else []
    usage = " ".join([words, *map(_value, arguments), *needed, *(["[OPTIONS]"] if options else []), *inner])
    rows = "\n".join(
        f"| `{_spelling(parameter)}` | {_default(parameter)} | {_cell(parameter.help)} |" for parameter in shown
    )
    table = f"| argument or option | default | meaning |\n|---|---|---|\n{rows}\n\n" if rows else ""
    help_text = "\n\n".join(" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n"))
    return f"## {words}\n\n```text\n{usage}\n```\n\n{help_text}\n\n{table}"


def _is_option(parameter: Any) -> bool:
    return str(parameter.opts[0]).startswith("-")


def _value(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _spelling(parameter: Any) -> str:
    if not _is_option(parameter):
        return _value(parameter)
    return ", ".join(parameter.opts) + ("" if parameter.is_flag else f" {_value(parameter)}")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    return "" if parameter.default is None or parameter.default is False else f"`{parameter.default}`"


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    print(reference_text(), end="")
