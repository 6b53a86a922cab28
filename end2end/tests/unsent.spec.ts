// Messages that are not stored yet: what is said of them, and what a reload and a copy of the tab make of them.
import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { messages, post, upload } from './api';
import { ImagePage } from './pages';

test.beforeEach(({ allowConsole }) => allowConsole(/net::ERR_|429/));

const waiting = (page: Page) => page.getByText('Waiting for the connection');

/** Posts do not reach the server. Returns a function that ends it. */
async function cutPosts(page: Page) {
  let isCut = true;
  await page.route('**/messages', (route) => {
    const isPost = route.request().method() === 'POST';
    return isCut && isPost ? route.abort('connectionrefused') : route.continue();
  });
  return () => (isCut = false);
}

/** Reloads the page, and returns whether the browser asked before. */
async function reload(page: Page): Promise<boolean> {
  let asked = false;
  const accept = async (dialog: { type(): string; accept(): Promise<void> }) => {
    asked ||= dialog.type() === 'beforeunload';
    await dialog.accept();
  };
  page.on('dialog', accept);
  await page.reload();
  page.off('dialog', accept);
  return asked;
}

test('unsent messages survive a reload, of which the browser warns, and are sent on return', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  const end = await cutPosts(page);
  await writer.tap(0.25, 0.5);
  await writer.say('one');
  await writer.say('two');
  await expect(waiting(page)).toHaveCount(2);
  expect(await reload(page)).toBe(true);
  await expect(writer.messages).toHaveText([/one$/, 'two']);
  await expect(waiting(page)).toHaveCount(2);
  end();
  await expect(waiting(page)).toHaveCount(0, { timeout: 15_000 });
  await expect(page.getByText('Sending…')).toHaveCount(0);
  await expect(writer.messages).toHaveText([/one$/, 'two']);
  const stored = await messages(request, shared);
  expect(stored.map(({ content }) => content)).toEqual(['one', 'two']);
  expect(stored[0].at!.x).toBeCloseTo(0.25, 1);
  expect(await reload(page)).toBe(false);
  await expect(writer.messages).toHaveText([/one$/, 'two']);
});

test('a message that was stored before the reload is shown once', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  // It reaches the server, but its answer and its frame are lost.
  await page.routeWebSocket('**/api/socket', () => {});
  await page.reload();
  await page.route('**/messages', async (route) => {
    if (route.request().method() === 'POST') await route.fetch();
    return route.abort('connectionreset');
  });
  await writer.say('stored already');
  await expect(waiting(page)).toBeVisible();
  const contents = async () => (await messages(request, shared)).map(({ content }) => content);
  await expect.poll(contents).toEqual(['stored already']);
  // More than a page shows.
  for (let n = 1; n <= 60; n++) await post(request, shared, `later ${n}`);
  await page.unroute('**/messages');
  await reload(page);
  await expect(waiting(page)).toBeVisible();
  await expect(waiting(page)).toHaveCount(0, { timeout: 15_000 });
  await expect(page.getByText('Sending…')).toHaveCount(0);
  await expect(writer.messages.last()).toHaveText('later 60');
  await expect(writer.messages.filter({ hasText: 'stored already' })).toHaveCount(0);
  expect((await contents()).filter((content) => content === 'stored already')).toHaveLength(1);
});

test('a copy of the tab sends its messages once', async ({ page, context, request }) => {
  const shared = await upload(request);
  const first = await ImagePage.open(page, shared.shortID);
  const ends = [await cutPosts(page)];
  await first.say('only once');
  await expect(waiting(page)).toBeVisible();
  const stored = await page.evaluate(() => ({ ...sessionStorage }));
  const copy = await context.newPage();
  await copy.addInitScript((stored) => Object.assign(sessionStorage, stored), stored);
  ends.push(await cutPosts(copy));
  const second = await ImagePage.open(copy, shared.shortID);
  await expect(waiting(copy)).toBeVisible();
  for (const end of ends) end();
  for (const { page, messages } of [first, second]) {
    await expect(waiting(page)).toHaveCount(0, { timeout: 15_000 });
    await expect(page.getByText('Sending…')).toHaveCount(0);
    await expect(messages).toHaveText(['only once']);
  }
  expect(await messages(request, shared)).toHaveLength(1);
});

test('after too many messages the page says when it tries again, and does so', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  let refusals = 1;
  await page.route('**/messages', (route) => {
    if (route.request().method() !== 'POST' || refusals-- <= 0) return route.continue();
    return route.fulfill({ status: 429, headers: { 'retry-after': '2' } });
  });
  await writer.say('one too many');
  await expect(page.getByText(/^Too many messages\. Trying again within [23]\ss$/)).toBeVisible();
  await expect(page.getByText(/Trying again/)).toHaveCount(0, { timeout: 15_000 });
  await expect.poll(async () => (await messages(request, shared)).length).toBe(1);
});

test('when trying has ended, the writer may try again', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  let isBusy = true;
  await page.route('**/messages', (route) => {
    if (route.request().method() !== 'POST' || !isBusy) return route.continue();
    return route.fulfill({ status: 429, headers: { 'retry-after': '3600' } });
  });
  await writer.say('much too many');
  await expect(page.getByText('Not sent. Too many messages.')).toBeVisible();
  isBusy = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText(/^Not sent/)).toHaveCount(0);
  await expect(writer.messages).toHaveText(['much too many']);
});
