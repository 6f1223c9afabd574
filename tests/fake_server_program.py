"""What `surefoot serve` runs, over the shipped fakes: a server whose first forward pass is stuck for some seconds.

Arguments: the configuration file, the seconds (`inf` for ever), and the port (0, the default, for a free one). The
address is the first line of the output.
"""

import math
import socket
import sys
import threading
from functools import partial
from pathlib import Path

from surefoot.backends.fake_backend import FakeBackend
from surefoot.cli.serve import run_server
from surefoot.log_lines import set_up_logging
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.settings import load_settings
from surefoot.wiring.fake_service import FakeParts, build_fake_service


def main(config: Path, hangs_s: float, port: int) -> None:
    read = partial(load_settings, config)
    settings = read()
    set_up_logging(settings.log_level, settings.log_format)
    backend = FakeBackend()
    if hangs_s > 0:
        backend.hang()
    if 0 < hangs_s < math.inf:
        threading.Timer(hangs_s, backend.release).start()
    queue = SchedulerLimits(stuck_after_s=settings.scheduler.stuck_after_s or math.inf)
    listener = socket.create_server(("127.0.0.1", port))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    run_server(build_fake_service(FakeParts(backend=backend, queue=queue)).service, settings, listener, read)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int((*sys.argv, "0")[3]))
