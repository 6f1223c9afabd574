"""What would stand on standard error, in one of the log's forms, down to its finest level."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def captured_log(formatter: logging.Formatter) -> Iterator[io.StringIO]:
    """Everything that is logged within."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    # As `surefoot serve` sets them: the test's own client is no part of the service.
    quiet = {name: logging.getLogger(name).level for name in ("httpx", "httpcore")}
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield stream
    finally:
        for name, level in quiet.items():
            logging.getLogger(name).setLevel(level)
        root.setLevel(before)
        root.removeHandler(handler)
