// The clients of examples/ against the real program. Each takes every entry of the log once and in order, also what was
// posted while it had no connection.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, type APIRequestContext } from '@playwright/test';
import type { Balancer } from '../balancer';
import { test as base } from '../fixtures';
import { killWithParent } from '../kill-with-parent';
import { messages, post, upload, type Upload } from './api';

const root = join(__dirname, '..', '..');
const bot = process.env.BOT_BINARY ?? join(root, 'target', 'debug', 'bot');

interface Program {
  /** What it has printed so far. */
  output: string;
  ended: Promise<unknown>;
  stop(): Promise<void>;
}

interface Fixtures {
  /** Runs a program until the end of the test. */
  run: (program: string, ...args: string[]) => Program;
  /** In front of the server; it can cut connections. */
  balancer: Balancer;
  /** The origin of a site that has the page. */
  site: string;
}

const test = base.extend<Fixtures>({
  run: async ({}, use, testInfo) => {
    const programs: Program[] = [];
    await use((name, ...args) => {
      const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      const killer = killWithParent(child);
      const ended = once(child, 'close');
      const program = {
        output: '',
        ended,
        async stop() {
          child.kill('SIGKILL');
          await ended.catch(() => {});
          killer?.stdin?.end();
        },
      };
      child.on('error', (error) => (program.output += `${name} cannot be started: ${error.message}\n`));
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (program.output += text));
      }
      programs.push(program);
      return program;
    });
    for (const program of programs) {
      await program.stop();
      if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach('output', { body: program.output });
    }
  },

  balancer: async ({ server, startBalancer }, use) => use(await startBalancer([server])),

  site: async ({}, use) => {
    const site = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html; charset=utf-8').end(readFileSync(join(root, 'examples', 'page.html')));
    });
    await once(site.listen(0, '127.0.0.1'), 'listening');
    await use(`http://localhost:${(site.address() as AddressInfo).port}`);
    await once(site.close(), 'close');
  },
});

test.use({ serverEnv: { TONESA_ALLOWED_ORIGINS: '*' } });

/** Posts these texts while no client has a connection. */
async function postInACut(balancer: Balancer, request: APIRequestContext, upload: Upload, texts: string[]) {
  const release = balancer.hold();
  balancer.cut();
  for (const text of texts) await post(request, upload, text);
  release();
}

async function deleteMessage(request: APIRequestContext, upload: Upload & { deleteToken?: string }, seq: number) {
  const headers = { authorization: `Bearer ${upload.deleteToken}` };
  const answer = await request.delete(`/api/uploads/${upload.id}/messages/${seq}`, { headers });
  expect(answer.status()).toBe(204);
}

test('the bot answers each question once, also after a cut and when it is started again', async ({
  run,
  balancer,
  request,
}) => {
  const shared = await upload(request);
  const link = `${balancer.url}/u/${shared.shortID}#m1`;
  const texts = async () => (await messages(request, shared)).map(({ content }) => content);
  const answers = async () => (await texts()).filter((text) => text === '600 × 400 pixels').length;

  await post(request, shared, '!size');
  const first = run(bot, link);
  await expect.poll(answers).toBe(1);
  await post(request, shared, 'thank you');
  await postInACut(balancer, request, shared, ['!size', 'another one', '!size']);
  await expect.poll(answers).toBe(3);
  await first.stop();

  // It reads all questions again, and the server knows the answers.
  await post(request, shared, '!size');
  run(bot, link);
  await expect.poll(answers).toBe(4);
  await post(request, shared, '!size');
  await expect.poll(answers).toBe(5);
  expect((await texts()).filter((text) => text === '!size')).toHaveLength(5);
});

test('the watcher prints each entry once, also after a cut', async ({ run, balancer, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'one');
  const watcher = run('python3', '-u', join(root, 'examples', 'watch.py'), `${balancer.url}/u/${shared.shortID}`);
  const printed = () => watcher.output.split('\n').filter((line) => line.startsWith('#'));
  const lines = ['#1 Elsewhere: one'];
  await expect.poll(printed, { message: 'what the watcher prints' }).toEqual(lines);
  await expect.poll(() => watcher.output).toContain('1 here:');

  // A text cannot forge an entry.
  await post(request, shared, 'two\n#3 Elsewhere: forged');
  lines.push('#2 Elsewhere: two');
  await expect.poll(printed).toEqual(lines);
  await postInACut(balancer, request, shared, ['three', 'four']);
  lines.push('#3 Elsewhere: three', '#4 Elsewhere: four');
  await expect.poll(printed, { timeout: 10_000 }).toEqual(lines);
  await deleteMessage(request, shared, 2);
  lines.push('#5 deletes #2');
  await expect.poll(printed).toEqual(lines);
});

test('the bot and the watcher end when there is no such upload', async ({ run, server }) => {
  const link = `${server.url}/u/aB3dE9xZ`;
  for (const program of [run(bot, link), run('python3', join(root, 'examples', 'watch.py'), link)]) {
    await program.ended;
    expect(program.output).toMatch(/there is no such image, or no longer/i);
  }
});

test('the page shows each message once, also after a cut, and posts', async ({
  balancer,
  site,
  page,
  request,
  allowConsole,
}) => {
  // The cut, the refusal, and the icon that browsers ask every site for.
  allowConsole(/net::ERR_|WebSocket connection to|status of 403/);
  const shared = await upload(request);
  await post(request, shared, 'one');
  await page.goto(`${site}/page.html?${balancer.url}/u/${shared.shortID}`);
  const shown = page.getByRole('listitem');
  await expect(shown).toHaveText(['Elsewhere: one']);
  await expect(page.getByRole('status')).toHaveText('1 here');
  await expect(page.locator('img')).toHaveJSProperty('naturalWidth', 600);

  await post(request, shared, 'two');
  await expect(shown).toHaveText(['Elsewhere: one', 'Elsewhere: two']);
  await postInACut(balancer, request, shared, ['three', 'four']);
  const rest = ['Elsewhere: two', 'Elsewhere: three', 'Elsewhere: four'];
  await expect(shown).toHaveText(['Elsewhere: one', ...rest], { timeout: 10_000 });

  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('Message').fill('five');
  // The answer to the first post comes from something in between, and is none of the protocol's.
  const posted: string[] = [];
  await page.route('**/messages', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    posted.push(route.request().postDataJSON().clientMessageID);
    if (posted.length > 1) return route.fallback();
    const headers = { 'access-control-allow-origin': '*' };
    await route.fulfill({ status: 403, headers, body: 'Forbidden' });
  });
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('status')).toHaveText('Not sent yet');
  await expect(page.getByLabel('Message')).toHaveValue('five');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByLabel('Message')).toHaveValue('');
  await deleteMessage(request, shared, 1);
  await expect(shown).toHaveText([...rest, 'Ada: five']);
  expect((await messages(request, shared)).at(-2)).toMatchObject({ authorName: 'Ada', content: 'five' });
  expect(posted).toEqual([posted[0], posted[0]]);
});
