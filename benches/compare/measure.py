"""Runs one command and prints what it took, as JSON.

This is a program of its own because Linux counts the memory of the parent at the time of fork in the child's peak: the
parent must be small. What it says is never less than the some 10 MB of this program.
"""

import json
import os
import signal
import sys
import time


def main() -> None:
    timeout, cpus, output, errors, *command = sys.argv[1:]
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
        for path, stream in ((output, 1), (errors, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
            os._exit(127)

    late = False

    def stop(*_: object) -> None:
        nonlocal late
        late = True
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(int(timeout))
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - started
    signal.alarm(0)
    print(
        json.dumps({
            "seconds": seconds,
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": usage.ru_maxrss * 1024,
            "status": os.waitstatus_to_exitcode(status),
            "late": late,
        })
    )


main()
