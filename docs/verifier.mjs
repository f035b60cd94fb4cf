// Verifies what docs/verification.md describes, with nothing but Node itself:
//
//   node verifier.mjs [--checkpoints FILE [--key KEY]…] < EXPORT
//   node verifier.mjs --receipt [--checkpoints FILE] [--key KEY]… < RECEIPT

import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const FIELDS = [
  "position", "account_id", "sequence", "entry_id", "kind", "points", "balance_after", "value_at", "booked_at",
  "memory", "source", "external_id", "tariff_version", "api_key_id", "reverses",
];
const SIGNED = [
  "book", "number", "since", "previous", "position", "hash", "root", "policy_version", "policy_hash", "signed_at",
  "public_key",
];

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const hex = (bytes) => bytes.toString("hex");

function fail(what) {
  console.error(what);
  process.exit(1);
}

function bytesOf(base64) {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64) fail("what should be base64 is none");
  return bytes;
}

function want(line, fields) {
  for (const field of fields) if (!(field in line)) fail(`a line has no ${field}`);
}

// JSON.stringify writes integers and texts as RFC 8785 has them, and nothing else is in the arrays.
function canonical(line) {
  want(line, [...FIELDS, "context", "sealed", "carried"]);
  const carried = line.carried === null ? null : hex(sha256(line.carried));
  const hashes = [hex(sha256(line.context)), hex(sha256(bytesOf(line.sealed))), carried];
  return JSON.stringify([1, ...FIELDS.map((field) => line[field]), ...hashes]);
}

const genesis = (book) => sha256("goodwill/1/", book);

// The tree of RFC 9162, level by level: the last node of an odd number rises as it is.
const leaf = (data) => sha256(Buffer.of(0), data);
const node = (left, right) => sha256(Buffer.of(1), left, right);

function rootOf(nodes) {
  while (nodes.length > 1) {
    const above = [];
    for (let n = 0; n < nodes.length; n += 2) above.push(n + 1 < nodes.length ? node(nodes[n], nodes[n + 1]) : nodes[n]);
    nodes = above;
  }
  return nodes[0];
}

function rootBy(own, index, size, path) {
  const beside = [...path];
  for (; size > 1; index = Math.floor(index / 2), size = Math.floor((size + 1) / 2)) {
    if (index % 2 === 0 && index + 1 >= size) continue;
    if (beside.length === 0) return null;
    const other = Buffer.from(beside.shift(), "hex");
    own = index % 2 ? node(other, own) : node(own, other);
  }
  return beside.length === 0 && index === 0 ? hex(own) : null;
}

const statement = (each) => JSON.stringify(["goodwill-checkpoint/1", ...SIGNED.map((field) => each[field])]);

// Times in UTC of one form are in the order of their texts, but for the Z that may stand where others have a fraction.
const time = (each) => each.signed_at.slice(0, -1);

function checkSignature(each, book, trusted) {
  want(each, [...SIGNED, "signature"]);
  const name = `checkpoint ${each.number}`;
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: each.public_key }, format: "jwk" });
  if (each.checkpoint !== 1 || each.book !== book) fail(`${name} is of another book or form`);
  if (!verify(null, Buffer.from(statement(each)), key, bytesOf(each.signature))) fail(`${name} is not signed`);
  if (!trusted.includes(each.public_key)) fail(`${name} is signed by a key that is not trusted`);
}

function checkRow(checkpoints, book, trusted) {
  let before;
  for (const each of checkpoints) {
    checkSignature(each, book, trusted);
    const first = each.number === 1 ? { since: 0, previous: hex(genesis(book)) } : each;
    const expected = before
      ? { number: before.number + 1, since: before.position, previous: hex(sha256(statement(before))) }
      : { number: each.number, since: first.since, previous: first.previous };
    for (const [field, value] of Object.entries(expected)) {
      if (each[field] !== value) fail(`checkpoint ${each.number} does not follow the one before it`);
    }
    if (before && time(each) < time(before)) fail(`checkpoint ${each.number} is signed before the one before it`);
    if (each.since >= each.position) fail(`checkpoint ${each.number} covers nothing`);
    before = each;
  }
}

// The checkpoints of a file, by number; the same one several times is one, as messages may come.
function readCheckpoints(file) {
  const lines = file === undefined ? [] : readFileSync(file, "utf8").split("\n").filter((text) => text !== "");
  const known = new Map(lines.map((text) => JSON.parse(text)).map((line) => line.data ?? line).map((each) => [
    JSON.stringify([statement(each), each.signature]), each,
  ]));
  return [...known.values()].sort((one, other) => one.number - other.number);
}

async function verifyExport(checkpoints, keys) {
  let book;
  let previous;
  let position = 0;
  let waiting = [];
  let leaves = [];
  for await (const text of createInterface({ input: process.stdin })) {
    const line = JSON.parse(text);
    if (book === undefined) {
      book = line;
      previous = genesis(book.book);
      checkRow(checkpoints, book.book, keys.length ? keys : checkpoints.slice(0, 1).map((each) => each.public_key));
      waiting = [...checkpoints];
      continue;
    }
    position += 1;
    const own = sha256(previous, canonical(line));
    const isHeld = line.position === position && line.previous === hex(previous) && line.hash === hex(own);
    if (!isHeld) fail(`position ${position} does not hold`);
    previous = own;
    if (waiting.length && position > waiting[0].since) leaves.push(leaf(own));
    if (waiting.length && position === waiting[0].position) {
      const each = waiting.shift();
      if (each.hash !== hex(own) || each.root !== hex(rootOf(leaves))) fail(`checkpoint ${each.number} does not hold`);
      leaves = [];
    }
  }
  const head = hex(previous);
  if (book.canonical !== 1 || book.position !== position || book.hash !== head) fail("the first line does not hold");
  if (waiting.length) fail(`checkpoint ${waiting[0].number} covers position ${waiting[0].position}, which is gone`);
  console.log(`${position} entries of ${book.book} hold: ${head}`);
  if (checkpoints.length) console.log(`${checkpoints.length} checkpoints hold, signed by ${checkpoints[0].public_key}`);
}

async function verifyReceipt(kept, keys) {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const receipt = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  if (receipt.receipt !== 1 || receipt.canonical !== 1) fail("it is of another form");
  const trusted = keys.length ? keys : [...kept, ...receipt.checkpoints].slice(0, 1).map((each) => each.public_key);
  checkRow(kept, receipt.book, trusted);
  const known = new Map(kept.map((each) => [each.number, statement(each)]));
  for (const each of receipt.checkpoints) {
    checkSignature(each, receipt.book, trusted);
    if (statement(each) !== (known.get(each.number) ?? statement(each))) fail(`checkpoint ${each.number} was another`);
  }
  const last = new Map();
  for (const line of receipt.entries) {
    const over = receipt.checkpoints.find((each) => each.number === line.checkpoint);
    const own = sha256(Buffer.from(line.previous, "hex"), canonical(line));
    const isHeld = line.hash === hex(own) && receipt.accounts.includes(line.account_id) && over !== undefined;
    if (!isHeld) fail(`position ${line.position} does not hold`);
    const root = rootBy(leaf(own), line.position - over.since - 1, over.position - over.since, line.path);
    if (root !== over.root) fail(`position ${line.position} is not below the root of checkpoint ${over.number}`);
    const before = last.get(line.account_id);
    const follows = before === undefined
      || (line.sequence === before.sequence + 1 && line.balance_after === before.balance_after + line.points);
    if (!follows) fail(`position ${line.position} does not follow the entry before it`);
    last.set(line.account_id, line);
  }
  console.log(`${receipt.entries.length} entries of ${receipt.accounts} are on the ledger of ${receipt.book}`);
}

const { values } = parseArgs({
  options: {
    receipt: { type: "boolean", default: false },
    checkpoints: { type: "string" },
    key: { type: "string", multiple: true, default: [] },
  },
});
const checkpoints = readCheckpoints(values.checkpoints);
await (values.receipt ? verifyReceipt(checkpoints, values.key) : verifyExport(checkpoints, values.key));
