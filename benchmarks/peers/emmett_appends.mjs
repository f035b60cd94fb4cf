// Appends of single events by emmett-postgresql, in process.
//
//     node emmett_appends.mjs URL SECONDS IN_FLIGHT
//
// Each of the loops has streams of its own, whose versions it knows, so that no append has to read. Modules are found
// beside the working folder, since this file is not copied there.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const { getPostgreSQLEventStore } = require('@event-driven-io/emmett-postgresql');
const pg = require('pg');

const STREAMS = 2_000;
const WARMUP_SECONDS = 0.3;
const [url, seconds, inFlight] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const data = {
  id: '0001-00000001',
  customer: 'customer-000001@example.com',
  kind: 'delivery.late',
  attributes: { days_late: 2 },
  channel: 'web',
};

const pool = new pg.Pool({ connectionString: url, max: inFlight });
const store = getPostgreSQLEventStore(url, { connectionOptions: { pooled: true, pool } });
await store.schema.migrate();

const run = `${process.pid}-${Date.now()}`;
const begin = performance.now() + WARMUP_SECONDS * 1_000;
let answers = 0;

const append = async (own) => {
  const versions = new Array(Math.floor(STREAMS / inFlight)).fill('STREAM_DOES_NOT_EXIST');
  for (let number = 0; ; number += 1) {
    const now = performance.now();
    if (now >= begin + seconds * 1_000) return;
    const stream = number % versions.length;
    const { nextExpectedStreamVersion } = await store.appendToStream(
      `customer-${run}-${own}-${stream}`,
      [{ type: 'Posted', data }],
      { expectedStreamVersion: versions[stream] },
    );
    versions[stream] = nextExpectedStreamVersion;
    if (now >= begin) answers += 1;
  }
};

await Promise.all(Array.from({ length: inFlight }, (_, own) => append(own)));
console.log(JSON.stringify({ answers, seconds: (performance.now() - begin) / 1_000 }));
process.exit(0);
