"""`python -m tests.sandbox [--ports hubspot=8001,...]`: every CRM on its own loopback port, until SIGTERM."""

import argparse
import json
import signal

from tests.sandbox import Sandbox


def ports(text: str) -> dict[str, int]:
    return {name: int(port) for name, port in (pair.split("=", 1) for pair in text.split(",") if pair)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    parser.add_argument("--ports", type=ports, default={}, help="hubspot=8001,pipedrive=8002 (others get a free port)")
    chosen = parser.parse_args().ports
    # Blocked before any thread starts: the signal then waits for sigwait, in whichever thread it lands.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with Sandbox(ports=chosen) as sandbox:
        print(json.dumps(sandbox.urls), flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
