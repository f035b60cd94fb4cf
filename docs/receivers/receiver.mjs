// A receiver of Goodwill's webhooks in JavaScript, without packages: node receiver.mjs [PORT], WEBHOOK_SECRET=whsec_…
//
// It answers 204 to what is proved to come from Goodwill, and 4xx to all else. Goodwill sends a message again until it
// gets 2xx, always with the same webhook-id: do once what you do for an id.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const TOLERANCE_SECONDS = 5 * 60; // older than that, a message may be a recording
const BODY_BYTES_MAX = 1_000_000;

// Whether the headers prove that the bytes `body` were signed with the secret within five minutes of `now`.
export function isAuthentic(secret, headers, body, now) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${mac}`);
  // While a secret is being replaced there are several signatures; timingSafeEqual takes the same time for any.
  const given = (headers["webhook-signature"] ?? "").split(" ").map((signature) => Buffer.from(signature));
  return given.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
}

async function receive(request, response) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return response.writeHead(413, { connection: "close" }).end();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks); // the bytes as they came: parsed and written again they may differ
  if (!isAuthentic(process.env.WEBHOOK_SECRET, request.headers, body, Date.now() / 1000)) {
    return response.writeHead(401).end();
  }
  console.log(request.headers["webhook-id"], JSON.parse(body).type); // here you do what is to be done
  return response.writeHead(204).end();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  createServer((request, response) => {
    receive(request, response).catch(() => response.writeHead(400).end());
  }).listen(Number(process.argv[2] ?? 8400), "127.0.0.1");
}
