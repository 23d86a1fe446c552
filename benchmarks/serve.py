"""The contestant's side of the benchmark: answers requests, one JSON object a line, on standard input and output."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Announce readiness, then answer requests until standard input ends.

    Parameters
    ----------
    answer : callable
        From a request to its reply.
    """
    with os.fdopen(os.dup(1), "w") as replies:
        os.dup2(2, 1)  # what libraries print must not stand between the replies
        print(json.dumps({"ready": True}), file=replies, flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), file=replies, flush=True)
