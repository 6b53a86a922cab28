import { expect } from '@playwright/test';
import { test } from '../fixtures';
import { image, messages, post, upload } from './api';
import { observe, pressEnter, shown, tapMiddle } from './latency';
import { ImagePage } from './pages';

test('an image uploaded at one node is shown by the others, with messages and ripples within 300 ms', { tag: '@alone' }, async ({
  startNodes,
  browserAt,
}) => {
  const [first, ...others] = await startNodes(3);
  const uploader = await (await browserAt(first.url)).newPage();
  await uploader.goto('/');
  await expect(uploader.locator('html.hydrated')).toBeAttached();
  await uploader.locator('input[type=file][name=file]').setInputFiles(image('coffee.png'));
  await expect(uploader).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
  const shortID = uploader.url().split('/').pop()!;
  const windows = [new ImagePage(uploader)];
  await windows[0].live();
  for (const node of others) windows.push(await ImagePage.openAsAnother(await browserAt(node.url), shortID));
  for (const window of windows) await expect(window.picture).not.toHaveJSProperty('naturalWidth', 0);

  // From each node to both others.
  const latencies: Record<string, number> = {};
  const said: string[] = [];
  for (const [from, writer] of windows.entries()) {
    const readers = [...windows.entries()].filter(([to]) => to !== from);
    const measure = async (what: string, selector: string, act: (window: ImagePage) => Promise<number>) => {
      for (const [, reader] of readers) await observe(reader, selector);
      const done = await act(writer);
      for (const [to, reader] of readers) {
        const name = `${what} ${from + 1} to ${to + 1}`;
        latencies[name] = (await shown(reader)) - done;
        expect(latencies[name], name).toBeLessThan(300);
      }
    };
    said.push(`from window ${from + 1}`);
    await writer.composer.fill(said[from]);
    await measure('message', '.bubble', pressEnter);
    await measure('ripple', '.ripple', tapMiddle);
  }
  test.info().annotations.push({ type: 'milliseconds', description: JSON.stringify(latencies) });
  expect(Object.keys(latencies)).toHaveLength(12);
  for (const window of windows) await expect(window.messages).toHaveText(said);
});

test('who is here, the names of ripples and pins cross the nodes', { tag: '@alone' }, async ({ startNodes, browserAt }) => {
  const nodes = await startNodes(3);
  const shared = await upload((await browserAt(nodes[0].url)).request);
  const names = ['Kim', 'Mira', 'Jonas'];
  const windows: ImagePage[] = [];
  for (const [n, node] of nodes.entries()) {
    windows.push(await ImagePage.openAsAnother(await browserAt(node.url), shared.shortID));
    await windows[n].rename(names[n]);
  }
  for (const { page } of windows) {
    const here = page.getByRole('button', { name: /^3 here: / });
    for (const name of names) await expect(here).toHaveAccessibleName(new RegExp(`\\b${name}\\b`));
  }
  for (const [n, window] of windows.entries()) {
    await window.tap(0.2 + 0.3 * n, 0.3);
    for (const { page } of windows.filter((other) => other !== window)) {
      await expect(page.locator('.ripple-name').filter({ hasText: names[n] })).toBeVisible();
    }
    // The tap's place goes with the message.
    await window.say(`This, says ${names[n]}`);
    for (const { page } of windows) {
      await expect(page.getByRole('link', { name: new RegExp(`^Pin ${n + 1}: message by ${names[n]}`) })).toBeVisible();
    }
  }
});

test('a window whose node is killed connects to another one and misses nothing', { tag: '@alone' }, async ({
  startNodes,
  startBalancer,
  browserAt,
  allowConsole,
}) => {
  allowConsole(/net::ERR_|WebSocket connection to/);
  const nodes = await startNodes(3);
  const balancer = await startBalancer(nodes);
  const context = await browserAt(balancer.url);
  const shared = await upload(context.request);
  const reader = await ImagePage.open(await context.newPage(), shared.shortID);
  expect(balancer.sockets).toHaveLength(1);
  const killed = balancer.sockets[0];
  const elsewhere = (await browserAt(nodes.find((node) => node !== killed)!.url)).request;

  const texts = Array.from({ length: 45 }, (_, n) => `message ${n + 1}`);
  for (const text of texts.slice(0, 10)) await post(elsewhere, shared, text);
  await expect(reader.messages).toHaveCount(10);
  // Some are posted while the node dies, some while nothing can connect, some while the page reconnects.
  const dying = killed.stop('SIGKILL');
  const release = balancer.hold();
  for (const text of texts.slice(10, 30)) await post(elsewhere, shared, text);
  await dying;
  await expect(reader.messages).not.toHaveCount(30);
  release();
  for (const text of texts.slice(30)) await post(elsewhere, shared, text);

  await expect(reader.messages).toHaveText(texts, { timeout: 15_000 });
  await reader.live();
  expect(balancer.sockets.length).toBeGreaterThan(1);
  expect(balancer.sockets.slice(1)).not.toContain(killed);
  // It can write, once.
  await reader.say('still here');
  const stored = async () => (await messages(elsewhere, shared)).map(({ content }) => content);
  await expect.poll(stored).toEqual([...texts, 'still here']);
  await expect(reader.messages).toHaveText([...texts, 'still here']);
});
