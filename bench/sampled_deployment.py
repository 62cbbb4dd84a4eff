"""`lendery …` under the sampler: `python -m bench.sampled_deployment serve …` prints the profile as JSON when it is stopped.

SIGUSR1 says that what counts begins: the start has been sampled, too.
"""

import json
import signal
import sys

from bench import sampling
from runtime.cli import app


def main() -> None:
    """Run the command line until it is told to stop."""
    with sampling.sampled() as profile:
        signal.signal(signal.SIGUSR1, lambda *_: profile.clear())
        app(sys.argv[1:], standalone_mode=False)
    print(json.dumps(profile.as_json()), flush=True)


if __name__ == "__main__":
    main()
