"""A child process that never outlives its parent: `python -m deployments.lifeline MODULE ARGUMENTS`, started with a pipe as its standard input.

The parent holds the other end of the pipe. When the parent ends, however it ends, SIGKILL included, the pipe closes; the child then asks itself to
stop, and is gone at the latest ten seconds later. This works on every system and from any thread, which a death signal of the kernel does not.
"""

import os
import runpy
import signal
import sys
import threading
import time

PATIENCE_SECONDS = 10


def main() -> None:
    """Watch the pipe, then be the module that was named."""
    threading.Thread(target=_end_with_the_pipe, daemon=True).start()
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_the_pipe() -> None:
    while os.read(0, 1024):  # not sys.stdin: its lock would be in the way when the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
