"""The least that any service in Python costs: uvicorn with an application that takes a body in, hashes it and answers 5 KB.

python benchmarks/empty_service.py PORT      what bench_service.py holds beside the real one
"""

from __future__ import annotations

import hashlib
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

ANSWER = b"x" * 5000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pure ASGI, nothing else."""
    if scope["type"] != "http":
        return
    digest, more = hashlib.sha256(), True
    while more:
        message = await receive()
        digest.update(message["body"])
        more = message.get("more_body", False)
    headers = [(b"content-length", b"5000"), (b"etag", digest.hexdigest().encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), lifespan="off", log_config=None, access_log=False)
