import { devices, expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { messages, post, upload } from './api';
import { serious } from './axe';
import { hostileTexts } from './hostile_texts';
import { ImagePage } from './pages';

const waiting = (page: Page) => page.getByText('Waiting for the connection');

test('a message is in the other window within 300 ms', { tag: '@alone' }, async ({ page, another, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  const reader = await ImagePage.openAsAnother(another, shared.shortID);
  // Timed inside the browser, from the key press in one window to the element in the other.
  const arrived = reader.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const log = document.querySelector('[role=log]')!;
        const seen = () => log.querySelector('.bubble') && resolve(Date.now());
        new MutationObserver(seen).observe(log, { childList: true, subtree: true });
      }),
  );
  await writer.composer.fill('Look at the rim');
  const pressed = await writer.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const field = document.querySelector('textarea')!;
        field.addEventListener('keydown', () => resolve(Date.now()), { once: true, capture: true });
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
      }),
  );
  expect((await arrived) - pressed).toBeLessThan(300);
  await expect(reader.messages).toHaveText(['Look at the rim']);
  await expect(writer.messages).toHaveText(['Look at the rim']);
  await expect(writer.page.getByText('Sending…')).toHaveCount(0);
});

test('Enter sends, Shift+Enter breaks the line', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await writer.composer.pressSequentially('one');
  await writer.composer.press('Shift+Enter');
  await writer.composer.pressSequentially('two');
  await writer.composer.press('Enter');
  await expect(writer.composer).toHaveValue('');
  await expect.poll(async () => (await messages(request, shared)).map((message) => message.content)).toEqual(['one\ntwo']);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`characters over the limit are an error, ${colorScheme}`, async ({ page, request }) => {
    await page.emulateMedia({ colorScheme });
    const shared = await upload(request);
    const opened = await ImagePage.open(page, shared.shortID);
    const note = page.locator('#message-note');
    const colours = () =>
      note.evaluate((it) => {
        it.style.borderColor = 'var(--error)';
        return [getComputedStyle(it).color, getComputedStyle(it).borderTopColor];
      });
    await opened.composer.fill('w'.repeat(1_990));
    await expect(note).toHaveText('10 characters left');
    const [near, error] = await colours();
    expect(near).not.toBe(error);
    await opened.composer.fill('w'.repeat(2_199));
    await expect(note).toHaveText('Too long by 199');
    await expect(note).toHaveCSS('color', error);
    await expect(page.getByRole('button', { name: 'Send' })).toBeDisabled();
    expect(await serious(page)).toEqual([]);
  });
}

test('the alias is remembered', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await page.getByRole('button', { name: /^Writing as/ }).click();
  await page.getByRole('textbox', { name: 'Writing as' }).fill('Mira');
  await page.getByRole('textbox', { name: 'Writing as' }).press('Enter');
  await page.reload();
  await writer.live();
  await expect(page.getByRole('button', { name: /^Writing as Mira/ })).toBeVisible();
  await writer.say('from Mira');
  await expect
    .poll(async () => (await messages(request, shared)).map((message) => message.authorName))
    .toEqual(['Mira']);
});

test('history is there after a reload, and older messages come on scrolling up', async ({ page, request }) => {
  const shared = await upload(request);
  for (let n = 1; n <= 120; n++) await post(request, shared, `message ${n}`);
  const reader = await ImagePage.open(page, shared.shortID);
  await expect(reader.messages).toHaveCount(50);
  await expect(reader.messages.last()).toBeInViewport();
  await expect(reader.messages.last()).toHaveText('message 120');

  const log = page.getByRole('log');
  await log.hover();
  for (let n = 0; n < 40 && (await reader.messages.count()) < 120; n++) {
    await page.mouse.wheel(0, -4000);
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await expect(page.getByText('Loading earlier messages…')).toHaveCount(0);
  }
  await expect(reader.messages).toHaveCount(120);
  expect(await reader.texts()).toEqual(Array.from({ length: 120 }, (_, n) => `message ${n + 1}`));
});

test('a screen reader hears each message of others, also one that repeats the last', async ({ page, request }) => {
  const shared = await upload(request);
  await ImagePage.open(page, shared.shortID);
  const announced = page.locator('.log-frame > .visually-hidden[role=status] > span');
  await post(request, shared, 'ok', 'Kim');
  await expect(announced).toHaveText('Kim: ok');
  const first = await announced.elementHandle();
  await post(request, shared, 'ok', 'Kim');
  await expect.poll(() => first!.evaluate((it) => it.isConnected)).toBe(false);
  await expect(announced).toHaveText('Kim: ok');
});

test('new messages are announced by a button while older ones are read', async ({ page, request }) => {
  const shared = await upload(request);
  for (let n = 1; n <= 40; n++) await post(request, shared, `message ${n}`);
  const reader = await ImagePage.open(page, shared.shortID);
  await page.getByRole('log').hover();
  await page.mouse.wheel(0, -600);
  await expect(reader.messages.last()).not.toBeInViewport();
  await post(request, shared, 'one more');
  await expect(page.getByRole('button', { name: '1 new message' })).toBeVisible();
  await post(request, shared, 'the newest');
  await page.getByRole('button', { name: '2 new messages' }).click();
  await expect(page.getByRole('button', { name: /new message/ })).toBeHidden();
  await expect(page.getByRole('log')).toBeFocused();
  await expect(reader.messages.last()).toHaveText('the newest');
  await expect(reader.messages.last()).toBeInViewport();
});

test('messages posted while offline are shown once, in order', async ({ page, request }) => {
  const shared = await upload(request);
  const reader = await ImagePage.open(page, shared.shortID);
  await post(request, shared, 'before');
  await expect(reader.messages).toHaveText(['before']);
  await page.context().setOffline(true);
  await expect(reader.status).toHaveText('Offline');
  for (let n = 1; n <= 5; n++) await post(request, shared, `missed ${n}`);
  await page.context().setOffline(false);
  await expect(reader.status).toHaveText('Caught up: 5 new');
  await expect(reader.messages).toHaveText(['before', 'missed 1', 'missed 2', 'missed 3', 'missed 4', 'missed 5']);
  await post(request, shared, 'after');
  await expect(reader.messages).toHaveCount(7);
  await expect(reader.status).toHaveText('Live', { timeout: 10_000 });
});

test('a message whose post fails is posted once, however often it is repeated', async ({ page, request, allowConsole }) => {
  allowConsole(/net::ERR_/);
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  // The first post reaches the server but its response is lost; the second one does not reach it.
  let tries = 0;
  await page.route('**/messages', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    tries += 1;
    if (tries === 1) {
      await route.fetch();
      return route.abort('connectionreset');
    }
    return tries === 2 ? route.abort('connectionrefused') : route.continue();
  });
  await page.routeWebSocket('**/api/socket', () => {});
  await page.reload();
  await writer.say('only once');
  await expect(waiting(page)).toBeVisible();
  await expect(waiting(page)).toHaveCount(0, { timeout: 20_000 });
  await expect(page.getByText('Sending…')).toHaveCount(0);
  await expect(writer.messages).toHaveText(['only once']);
  expect((await messages(request, shared)).map((message) => message.content)).toEqual(['only once']);
  expect(tries).toBe(3);
});

test('messages written while the server is unavailable are sent once it is back', async ({ browser, startServer, allowConsole }) => {
  allowConsole(/net::ERR_|WebSocket/);
  const server = await startServer();
  const context = await browser.newContext({ baseURL: server.url });
  const shared = await upload(context.request);
  const writer = await ImagePage.open(await context.newPage(), shared.shortID);
  await server.stop('SIGKILL');
  for (const text of ['one', 'two', 'three']) await writer.say(text);
  await expect(waiting(writer.page)).toHaveCount(3);
  await server.start();
  await expect(waiting(writer.page)).toHaveCount(0, { timeout: 20_000 });
  await expect(writer.messages).toHaveText(['one', 'two', 'three']);
  // The last one may not be stored yet: it is listed before.
  const stored = async () => (await messages(context.request, shared)).map(({ content }) => content);
  await expect.poll(stored).toEqual(['one', 'two', 'three']);
  await context.close();
});

test('the link to the content moves the focus and nothing else', async ({ page, request, allowConsole }) => {
  allowConsole(/net::ERR_/);
  const shared = await upload(request);
  const reader = await ImagePage.open(page, shared.shortID);
  await page.route('**/messages', (route) => route.abort());
  await reader.say('not sent, but there');
  await expect(waiting(page)).toBeVisible();
  await page.getByRole('link', { name: 'Skip to the content' }).press('Enter');
  await expect(page).toHaveURL(/#main$/);
  await expect(page.getByRole('main')).toBeFocused();
  await expect(reader.messages).toHaveText(['not sent, but there']);
});

test('hostile texts are shown as plain text', async ({ page, request }) => {
  expect(hostileTexts.length).toBeGreaterThanOrEqual(40);
  const shared = await upload(request);
  for (const text of hostileTexts) await post(request, shared, text, [...text.replace(/\s+/g, ' ')].slice(0, 40).join(''));
  let dialogs = 0;
  page.on('dialog', (dialog) => (dialogs++, dialog.dismiss()));
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    const reader = await ImagePage.open(page, shared.shortID);
    const shown = await reader.messages.evaluateAll((bubbles) => bubbles.map((bubble) => bubble.textContent));
    // Like the server's, and unlike JavaScript's, this trimming leaves a byte order mark.
    expect(shown).toEqual(hostileTexts.map((text) => text.replace(/^[ \u2028\u2029]+/, '')));
    const layout = await page.evaluate(() => ({
      sideways: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      log: document.querySelector('[role=log]')!.scrollWidth > document.querySelector('[role=log]')!.clientWidth,
      foreign: document.querySelectorAll('[role=log] .bubble :is(script, img, svg, iframe, a:not([rel]), b, style)').length,
    }));
    expect(layout).toEqual({ sideways: false, log: false, foreign: 0 });
  }
  expect(dialogs).toBe(0);
  const writer = new ImagePage(page);
  await writer.say(hostileTexts[0]);
  await expect(writer.messages.last()).toHaveText(hostileTexts[0]);
});

test('web addresses in messages are links that open in a new tab', async ({ page, browser, request, baseURL }) => {
  const shared = await upload(request);
  await post(request, shared, 'see https://example.org/spoons?a=1&b=2, or javascript:alert(1)');
  const plain = await browser.newContext({ javaScriptEnabled: false, baseURL });
  for (const reader of [page, await plain.newPage()]) {
    await reader.goto(`/u/${shared.shortID}`);
    const links = reader.locator('.bubble').getByRole('link');
    await expect(links).toHaveText(['https://example.org/spoons?a=1&b=2']);
    await expect(links).toHaveAttribute('href', 'https://example.org/spoons?a=1&b=2');
    await expect(links).toHaveAttribute('target', '_blank');
    await expect(links).toHaveAttribute('rel', 'nofollow ugc noopener');
  }
  const writer = new ImagePage(page);
  await writer.say('and http://example.com/');
  await expect(page.locator('.bubble').getByRole('link').last()).toHaveText('http://example.com/');
  await plain.close();
});

test('on a phone Enter breaks the line and the button sends', async ({ browser, request, baseURL }) => {
  const shared = await upload(request);
  const phone = await browser.newContext({ ...devices['Pixel 5'], baseURL });
  const writer = await ImagePage.open(await phone.newPage(), shared.shortID);
  const field = writer.page.getByRole('textbox', { name: 'Message' });
  await field.pressSequentially('one');
  await field.press('Enter');
  await field.pressSequentially('two');
  await writer.page.getByRole('button', { name: 'Send' }).click();
  await expect(writer.messages).toHaveText(['one\ntwo']);
  await phone.close();
});

test('an unknown link says what may have happened, with a real 404', async ({ page, allowConsole }) => {
  allowConsole(/404/);
  const answer = await page.goto('/u/zzzzzzzz');
  expect(answer!.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('nothing');
  await page.getByRole('link', { name: /picture of your own/ }).click();
  await expect(page).toHaveURL(/\/$/);
});

test('an upload that the server no longer knows ends the retries, and the page says so', async ({ page, request }) => {
  const shared = await upload(request);
  let sockets = 0;
  await page.clock.install();
  await page.routeWebSocket('**/api/socket', (socket) => {
    sockets += 1;
    socket.onMessage((command) => {
      const { uploadID } = JSON.parse(String(command)).data;
      const refused = { command: 'watch', uploadID, code: 'notFound', detail: 'There is no such upload.' };
      socket.send(JSON.stringify({ type: 'refused', data: refused }));
    });
  });
  await page.goto(`/u/${shared.shortID}`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('nothing');
  await page.clock.runFor(5 * 60_000);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await page.clock.runFor(60_000);
  expect(sockets).toBe(1);
});
