"""Problems and steps that are easy to get wrong, as plain text: scores of them are compared in many places."""

from __future__ import annotations

Task = tuple[str, tuple[str, ...]]
"""A problem and its steps."""

ODD_TASKS: dict[str, Task] = {
    "one step": ("What is 1 + 1?", ("It is 2.",)),
    "three steps": ("What is 2 + 3 * 4?", ("3 * 4 = 12.", "2 + 12 = 15.", "The answer is 15.")),
    "hundred steps": ("Count to 100.", tuple(f"{number}." for number in range(1, 101))),
    "unicode": ("Wie groß ist √16 in 日本?", ("√16 = 4 ✓", "答えは 4 です。", "e\u0301 ≠ é 🧮\u200d👩")),
    "inner separators": ("What is\n7 * 8?", ("7 * 8\n= 56.\n\n", "\n\nSo\n\n56", "56.")),
    "long step": ("Repeat.", ("ab " * 700, "Done.", "x" * 900)),
    "spaces": ("  What?  ", ("    four    spaces    ", "\t1\u00a0+ 1")),
    "numbered": ("What is 3 + 4?", ("Step 1: 3 + 4 = 7.", "Step 2: The answer is 7.")),
}
