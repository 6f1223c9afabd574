"""`surefoot`, with a fake service in place of the real one; Ray's workers are sent it, so it must be a program.

SUREFOOT_TEST_NOTES names a directory: each worker makes a file there, named by its process id, with a line a problem.
SUREFOOT_TEST_PASS_S is how long a forward pass takes, in seconds.
"""

import os
import time
from pathlib import Path

from surefoot.api.service import Service
from surefoot.backends.fake_backend import FakeBackend
from surefoot.cli.main import app
from surefoot.settings import Settings
from surefoot.wiring.fake_service import FakeParts, build_fake_service


def build(settings: Settings) -> Service:
    notes, pass_s = os.environ["SUREFOOT_TEST_NOTES"], float(os.environ.get("SUREFOOT_TEST_PASS_S", "0"))

    class NotingBackend(FakeBackend):
        """Tells which process computed what: the beginning of each input, which is the problem's."""

        def forward(self, batch):
            with (Path(notes) / str(os.getpid())).open("a", encoding="utf-8") as file:
                for item in batch:
                    file.write(f"{list(item.rendered.token_ids)}\n")
            time.sleep(pass_s)
            return super().forward(batch)

    return build_fake_service(FakeParts(backend=NotingBackend())).service


if __name__ == "__main__":
    app(obj=build)
