// Verifies what docs/verification.md describes, with nothing but Node itself (20 or later):
//
//   node verifier.mjs [--checkpoints FILE [--key KEY]…] < EXPORT
//   node verifier.mjs --receipt [--checkpoints FILE] [--key KEY]… < RECEIPT

import { createHash, createPublicKey, verify } from "node:crypto";
import { createReadStream } from "node:fs";
import { parseArgs } from "node:util";

const isInteger = Number.isInteger;
const isWhole = (token) => /^-?\d+$/.test(token) && Number.isSafeInteger(Number(token));
const isText = (value) => typeof value === "string" && value.isWellFormed();
const isHash = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const isEncoded = (encoding) => (value) =>
  typeof value === "string" && Buffer.from(value, encoding).toString(encoding) === value;
const isBase64 = isEncoded("base64");
const isKey = (value) => isEncoded("base64url")(value) && value.length === 43;
const orNull = (isRight) => (value) => value === null || isRight(value);
const listOf = (isRight) => (value) => Array.isArray(value) && value.every(isRight);

// A time in UTC that there is: whole seconds have no fraction, others have six digits of it.
function isTime(value) {
  const form = /^(?!0000)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.(?!000000)\d{6})?Z$/;
  const [, seconds] = (isText(value) && form.exec(value)) || [];
  const time = new Date(`${seconds}Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(seconds);
}

const HEAD = { export: isInteger, canonical: isInteger, book: isText, position: isInteger, hash: isHash };
const HASHED = {
  position: isInteger, account_id: isText, sequence: isInteger, entry_id: isText, kind: isText, points: isInteger,
  balance_after: isInteger, value_at: isInteger, booked_at: isInteger, memory: isText, source: isText,
  external_id: orNull(isText), tariff_version: isInteger, api_key_id: isText, reverses: orNull(isText),
};
const LINE = {
  ...HASHED, context: isText, sealed: isBase64, carried: orNull(isText), previous: isHash, hash: isHash,
};
const SIGNED = {
  book: isText, number: isInteger, since: isInteger, previous: isHash, position: isInteger, hash: isHash, root: isHash,
  policy_version: isInteger, policy_hash: isHash, signed_at: isTime, public_key: isKey,
};
const CHECKPOINT = { checkpoint: isInteger, ...SIGNED, signature: isBase64 };
const RECEIPT = {
  receipt: isInteger, canonical: isInteger, book: isText, accounts: listOf(isText), entries: Array.isArray,
  checkpoints: Array.isArray, uncovered: listOf(isText), next_after: orNull(isInteger),
};
const ENTRY = { ...LINE, checkpoint: isInteger, path: listOf(isHash) };
const DEPTH_MAX = 32;
const YEAR_1900 = -2208988800000000;

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const hex = (bytes) => bytes.toString("hex");

function fail(what) {
  throw new Error(what);
}

// The object, if each field of the shape is there and of its kind; what else it holds does not matter.
function shaped(value, shape, name) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(`${name} is no JSON object`);
  for (const [field, isRight] of Object.entries(shape)) {
    if (!Object.hasOwn(value, field)) fail(`${name} has no ${field}`);
    if (!isRight(value[field])) fail(`${name} has a ${field} that is not written as it should be`);
  }
  return value;
}

const orFail = (what, make) => {
  try {
    return make();
  } catch {
    return fail(what);
  }
};

// JSON in UTF-8. What another program might read otherwise is refused: a number that is not written as an integer or is
// too large for one, and what nests too deep. Both show once the texts, which may hold anything, are left out.
function read(bytes, name) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = orFail(`${name} is not in UTF-8`, () => decoder.decode(bytes));
  const value = orFail(`${name} is no JSON`, () => JSON.parse(text));
  let depth = 0;
  for (const [token] of text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/gs, "").matchAll(/[[\]{}]|-?\d[\d.eE+-]*/g)) {
    if ("[{".includes(token)) depth += 1;
    else if ("]}".includes(token)) depth -= 1;
    else if (!isWhole(token)) fail(`${name} holds a number that is no integer, or too large for one`);
    if (depth > DEPTH_MAX) fail(`${name} nests over ${DEPTH_MAX} levels deep`);
  }
  return value;
}

// Lines end at a line feed and nowhere else; no more than one is held.
async function* linesOf(stream) {
  let begun = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)]);
      begun = [];
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
  if (begun.length) yield Buffer.concat(begun);
}

// JSON.stringify writes integers and texts as RFC 8785 has them, and nothing else is in the arrays.
function canonical(line) {
  const carried = line.carried === null ? null : hex(sha256(line.carried));
  const hashes = [hex(sha256(line.context)), hex(sha256(Buffer.from(line.sealed, "base64"))), carried];
  return JSON.stringify([1, ...Object.keys(HASHED).map((field) => line[field]), ...hashes]);
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
  if (index < 0 || index >= size) return null;
  const beside = path.values();
  for (; size > 1; index = Math.floor(index / 2), size = Math.ceil(size / 2)) {
    if (index % 2 === 0 && index + 1 >= size) continue;
    const { value, done } = beside.next();
    if (done) return null;
    const other = Buffer.from(value, "hex");
    own = index % 2 ? node(other, own) : node(own, other);
  }
  return beside.next().done ? hex(own) : null;
}

const statement = (each) =>
  JSON.stringify(["goodwill-checkpoint/1", ...Object.keys(SIGNED).map((field) => each[field])]);

// Times in UTC of one form are in the order of their texts, but for the Z that may stand where others have a fraction.
const time = (each) => each.signed_at.slice(0, -1);

function checkSignature(each, book, trusted) {
  const name = `checkpoint ${each.number}`;
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: each.public_key }, format: "jwk" });
  if (each.book !== book) fail(`${name} is of another book`);
  if (each.since >= each.position) fail(`${name} covers nothing`);
  const signature = Buffer.from(each.signature, "base64");
  if (!verify(null, Buffer.from(statement(each)), key, signature)) fail(`${name} is not signed`);
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
    before = each;
  }
}

function checkpointOf(value, name) {
  const each = shaped(value, CHECKPOINT, name);
  if (each.checkpoint !== 1) fail(`${name} is of another form`);
  return each;
}

// The checkpoints of a file, by number; the same one several times is one, as messages may come.
async function readCheckpoints(file) {
  const known = new Map();
  let number = 0;
  for await (const bytes of linesOf(createReadStream(file))) {
    const name = `line ${(number += 1)} of ${file}`;
    const line = shaped(read(bytes, name), {}, name);
    const each = checkpointOf(Object.hasOwn(line, "data") ? line.data : line, name);
    known.set(JSON.stringify([statement(each), each.signature]), each);
  }
  if (known.size === 0) fail(`there is no checkpoint in ${file}`);
  return [...known.values()].sort((one, other) => one.number - other.number);
}

// Each account's entries follow one another: numbers, balances, and nothing after it was erased or merged into another.
function accountAfter(line, before) {
  const name = `position ${line.position}`;
  if (line.sequence !== before.sequence + 1) fail(`${name} has not the next sequence of its account`);
  if (line.balance_after !== before.balance + line.points) fail(`${name} has another balance than its points make`);
  const isMerge = line.kind === "account.merged_into";
  if (before.isErased) fail(`${name} is of an account that was erased before`);
  if (before.isMerged && !(isMerge && line.reverses)) fail(`${name} is of an account that was merged before`);
  const isErased = line.kind === "account.erased";
  return { sequence: line.sequence, balance: line.balance_after, isErased, isMerged: isMerge && !line.reverses };
}

async function verifyExport(checkpoints, keys) {
  const lines = linesOf(process.stdin);
  const first = (await lines.next()).value ?? Buffer.of();
  const book = shaped(read(first, "the first line"), HEAD, "the first line");
  if (book.export !== 1 || book.canonical !== 1) fail("it is of another form");
  checkRow(checkpoints, book.book, keys.length ? keys : checkpoints.slice(0, 1).map((each) => each.public_key));
  const waiting = [...checkpoints];
  const accounts = new Map();
  let previous = genesis(book.book);
  let position = 0;
  let bookedAt = YEAR_1900;
  let leaves = [];
  for await (const bytes of lines) {
    position += 1;
    const line = shaped(read(bytes, `position ${position}`), LINE, `position ${position}`);
    const own = sha256(previous, canonical(line));
    const isHeld = line.position === position && line.previous === hex(previous) && line.hash === hex(own);
    if (!isHeld) fail(`position ${position} does not hold`);
    if (line.booked_at < bookedAt) fail(`position ${position} is booked before the one before it`);
    const before = accounts.get(line.account_id) ?? { sequence: 0, balance: 0 };
    accounts.set(line.account_id, accountAfter(line, before));
    [previous, bookedAt] = [own, line.booked_at];
    if (waiting.length && position > waiting[0].since) leaves.push(leaf(own));
    if (waiting.length && position === waiting[0].position) {
      const each = waiting.shift();
      if (each.hash !== hex(own) || each.root !== hex(rootOf(leaves))) fail(`checkpoint ${each.number} does not hold`);
      leaves = [];
    }
  }
  const head = hex(previous);
  if (book.position !== position || book.hash !== head) fail("the first line does not hold");
  if (waiting.length) fail(`checkpoint ${waiting[0].number} covers position ${waiting[0].position}, which is gone`);
  console.log(`${position} entries of ${book.book} hold: ${head}`);
  if (checkpoints.length) console.log(`${checkpoints.length} checkpoints hold, signed by ${checkpoints[0].public_key}`);
}

async function verifyReceipt(kept, keys) {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const receipt = shaped(read(Buffer.concat(chunks), "the receipt"), RECEIPT, "the receipt");
  if (receipt.receipt !== 1 || receipt.canonical !== 1) fail("it is of another form");
  for (const line of receipt.entries) shaped(line, ENTRY, "an entry");
  for (const each of receipt.checkpoints) checkpointOf(each, "a checkpoint");
  if (receipt.entries.length === 0) fail("it proves nothing: there is no entry in it that a checkpoint covers");
  const covering = new Map(receipt.checkpoints.map((each) => [each.number, each]));
  if (covering.size < receipt.checkpoints.length) fail("two of its checkpoints have one number");
  const trusted = keys.length ? keys : [...kept, ...receipt.checkpoints].slice(0, 1).map((each) => each.public_key);
  checkRow(kept, receipt.book, trusted);
  const known = new Map(kept.map((each) => [each.number, statement(each)]));
  for (const each of receipt.checkpoints) {
    checkSignature(each, receipt.book, trusted);
    if (statement(each) !== (known.get(each.number) ?? statement(each))) fail(`checkpoint ${each.number} was another`);
  }
  const last = new Map();
  for (const line of receipt.entries) {
    const over = covering.get(line.checkpoint);
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

async function main() {
  const { values } = parseArgs({
    options: {
      receipt: { type: "boolean", default: false },
      checkpoints: { type: "string" },
      key: { type: "string", multiple: true, default: [] },
    },
  });
  if (values.key.length && !values.receipt && values.checkpoints === undefined) fail("--key goes with what is signed");
  if (!values.key.every(isKey)) fail("--key: a public key is 43 characters of base64url");
  const checkpoints = values.checkpoints === undefined ? [] : await readCheckpoints(values.checkpoints);
  await (values.receipt ? verifyReceipt(checkpoints, values.key) : verifyExport(checkpoints, values.key));
}

// Whatever cannot be read is refused in one sentence too.
await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
  process.stdin.destroy();
});
