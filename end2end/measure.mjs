// The figures of docs/performance.md, taken from the release program: `cargo xtask measure`. Linux only, since the
// program's processor time is read from /proc.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest, Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const RENDERS = 2_000;
const [, , program] = process.argv;
const data = mkdtempSync(join(tmpdir(), 'tonesa-measure-'));
const server = spawn(program, {
  env: { ...process.env, PORT: '0', TONESA_DATA_DIR: data, TONESA_MESSAGES_PER_MINUTE: '0' },
  stdio: ['ignore', 'pipe', 'pipe'],
});

try {
  const base = await address();
  const upload = await share(base);
  for (let n = 0; n < 50; n++) await say(base, upload, n);
  const page = `${base}/u/${upload.shortID}`;
  await transferred(page);
  await rendering(page);
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
  rmSync(data, { recursive: true });
}

/** Where the program says that it serves. */
async function address() {
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`the program ended with ${code}`)));
    for (const input of [server.stdout, server.stderr]) {
      createInterface({ input }).on('line', (line) => {
        const found = line.match(/http:\/\/127\.0\.0\.1:\d+/);
        if (found) resolve(found[0]);
      });
    }
  });
}

async function share(base) {
  const form = new FormData();
  const picture = readFileSync(new URL('images/coffee.png', import.meta.url));
  form.append('file', new Blob([picture]), 'coffee.png');
  return (await fetch(`${base}/api/uploads`, { method: 'POST', body: form })).json();
}

async function say(base, upload, n) {
  const body = {
    authorName: ['Mira', 'Jonas', 'Kim'][n % 3],
    content: `Message ${n}: the shadow on the left side is what I would fix first. I tapped it.`,
    clientMessageID: `measure-${n}`,
  };
  const headers = { 'content-type': 'application/json' };
  await fetch(`${base}/api/uploads/${upload.id}/messages`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Bytes on the line for the image page without its image. */
async function transferred(page) {
  const html = (await get(page, {})).body.toString();
  const assets = [...new Set(html.match(/\/assets\/tonesa-[0-9a-f]+\.(?:css|js|wasm)/g))];
  let total = 0;
  for (const address of [page, ...assets.map((path) => new URL(path, page).href)]) {
    const { body, headers } = await get(address, { 'accept-encoding': 'br, gzip' });
    total += body.length;
    const name = address === page ? 'page with 50 messages' : address.split('.').pop();
    console.log(`${name}: ${body.length} bytes (${headers['content-encoding'] ?? 'not compressed'})`);
  }
  console.log(`together: ${total} bytes`);
}

/** Processor time of the whole program for each rendered page. */
async function rendering(page) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const [name, headers] of [['as it is', {}], ['compressed', { 'accept-encoding': 'br, gzip' }]]) {
    // A page tells where it was asked for: it is rendered for each host, and kept after that.
    const render = (n) => get(page, { ...headers, host: `${name.replaceAll(' ', '-')}-${n}.example` }, agent);
    for (let n = 0; n < 200; n++) await render(n);
    const before = processorTime();
    for (let n = 200; n < 200 + RENDERS; n++) await render(n);
    const each = (processorTime() - before) / RENDERS;
    console.log(`rendering the page with 50 messages, ${name}: ${each.toFixed(2)} ms of CPU (${RENDERS} requests)`);
  }
  agent.destroy();
}

/** The program's user and system time in milliseconds. */
function processorTime() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 10;
}

function get(address, headers, agent) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(address, { headers, agent }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ body: Buffer.concat(chunks), headers: response.headers });
    });
    request.on('error', reject);
    request.end();
  });
}
