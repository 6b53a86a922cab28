// Measures the figures of docs/performance.md with the release program: `cargo xtask measure`. Linux only, since the
// program's processor time is read from /proc.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest, Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, devices } from '@playwright/test';

const RENDERS = 2_000;
const PHONE_RUNS = 7;
const PHONE = { ...devices['Pixel 5'], viewport: { width: 390, height: 844 }, deviceScaleFactor: 3 };
/** What is made of a large picture. */
const SMALLER = ['?w=640', '?w=1280', '?w=2560', '/preview.jpg'];
const [, , program] = process.argv;
const data = mkdtempSync(join(tmpdir(), 'tonesa-measure-'));
const server = spawn(program, {
  env: { ...process.env, PORT: '0', TONESA_DATA_DIR: data, TONESA_MESSAGES_PER_MINUTE: '0' },
  stdio: ['ignore', 'pipe', 'pipe'],
});

try {
  const base = await address();
  const small = await share(base, 'coffee.png');
  for (let n = 0; n < 50; n++) await say(base, small, n);
  const page = `${base}/u/${small.shortID}`;
  await transferred(page);
  const before = childrensTime();
  const large = await share(base, '24-megapixels.jpg');
  const checked = childrensTime();
  await smaller(base, large);
  console.log(`checking 24 megapixels: ${checked - before} ms of CPU; all that is made of them: ${childrensTime() - checked} ms`);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || undefined });
  await phone(browser, 'page with 50 messages', page);
  await phone(browser, 'picture of 24 megapixels', `${base}/u/${large.shortID}`);
  await browser.close();
  await rendering(page);
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
  rmSync(data, { recursive: true });
}

/** The URL that the program logs. */
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

async function share(base, name) {
  const form = new FormData();
  const picture = readFileSync(new URL(`images/${name}`, import.meta.url));
  form.append('file', new Blob([picture]), name);
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

/** The bytes that the image page transfers, without its image. */
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

/** Has all pictures of a large one made, and prints how large they are. */
async function smaller(base, { content }) {
  for (const part of SMALLER) {
    const before = performance.now();
    const { body } = await get(`${base}${content.url}${part}`, {});
    const taken = performance.now() - before;
    console.log(`24 megapixels, ${part}: ${body.length} bytes, made and sent within ${taken.toFixed(0)} ms`);
  }
}

/** How soon a page is shown and live on an emulated phone: 1.6 Mbit/s, 150 ms, the processor slowed fourfold. */
async function phone(browser, what, page) {
  const runs = [];
  for (let n = 0; n < PHONE_RUNS; n++) runs.push(await visit(browser, page));
  const figures = [
    ['first contentful paint', ' ms'],
    ['largest contentful paint', ' ms'],
    ['live', ' ms'],
    ['layout shift', ''],
  ];
  for (const [name, unit] of figures) {
    const [least, median, most] = [0, 0.5, 1].map((share) => {
      const sorted = runs.map((run) => run[name]).sort((a, b) => a - b);
      return sorted[Math.round(share * (sorted.length - 1))];
    });
    const digits = unit ? 0 : 4;
    const range = `${least.toFixed(digits)} to ${most.toFixed(digits)}`;
    console.log(`on a phone, ${what}, ${name}: ${median.toFixed(digits)}${unit} (${range}, ${PHONE_RUNS} first visits)`);
  }
}

/** A first visit, with an empty cache. */
async function visit(browser, address) {
  const context = await browser.newContext(PHONE);
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const throughput = { downloadThroughput: 1_600_000 / 8, uploadThroughput: 1_600_000 / 8 };
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150, ...throughput });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.addInitScript(() => {
    const figures = (globalThis.figures = { live: 0, 'layout shift': 0 });
    const observe = (type, take) =>
      new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
    observe('paint', ({ name, startTime }) => (figures[name.replaceAll('-', ' ')] = startTime));
    observe('largest-contentful-paint', ({ startTime, url }) => {
      figures['largest contentful paint'] = startTime;
      figures.largest = url;
    });
    observe('layout-shift', ({ value }) => (figures['layout shift'] += value));
    new MutationObserver(() => {
      const status = document.querySelector('.status')?.textContent ?? '';
      if (!figures.live && /^(Live|Caught up)/.test(status)) figures.live = performance.now();
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  await page.goto(address);
  await page.waitForFunction(() => globalThis.figures.live > 0);
  // So that the picture and what it moves have been painted.
  await page.waitForLoadState('load');
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const figures = await page.evaluate(() => globalThis.figures);
  const picture = await page.locator('.picture img').evaluate((img) => img.currentSrc);
  if (figures.largest !== picture) throw new Error(`not the picture but ${figures.largest} is the largest`);
  await context.close();
  return figures;
}

/** The program's processor time for each rendered page. */
async function rendering(page) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const [name, headers] of [['as it is', {}], ['compressed', { 'accept-encoding': 'br, gzip' }]]) {
    // A page contains its host: it is rendered once for each host and cached.
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
  const [user, system] = processorTimes();
  return user + system;
}

/** That of the processes that have checked and resized images. */
function childrensTime() {
  const [, , user, system] = processorTimes();
  return user + system;
}

function processorTimes() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return fields.slice(11, 15).map((ticks) => Number(ticks) * 10);
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
