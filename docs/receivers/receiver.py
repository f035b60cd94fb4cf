"""A receiver of Goodwill's webhooks in Python, without packages: python receiver.py [PORT], WEBHOOK_SECRET=whsec_…

It answers 204 to what is proved to come from Goodwill, and 4xx to all else. Goodwill sends a message again until it
gets 2xx, always with the same webhook-id: do once what you do for an id.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_SECONDS = 5 * 60  # older than that, a message may be a recording
BODY_BYTES_MAX = 1_000_000


def is_authentic(secret, headers, body, now):
    """Whether the headers prove that the bytes `body` were signed with the secret within five minutes of `now`."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # While a secret is being replaced there are several signatures; compare_digest takes the same time for any.
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected, signature.encode()) for signature in given)


class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= BODY_BYTES_MAX):
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not is_authentic(os.environ["WEBHOOK_SECRET"], self.headers, body, time.time()):
            return self.answer(401)
        message = json.loads(body)
        print(self.headers["webhook-id"], message["type"], flush=True)  # here you do what is to be done
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.send_header("connection", "close")
        self.end_headers()

    def log_message(self, *_args):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8400
    ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
