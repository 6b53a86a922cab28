import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, post, upload } from './api';
import { ImagePage } from './pages';

/** What extensions, translators and proxies do to a page. */
const changes: Record<string, () => void> = {
  'an element first in body': () => document.body.prepend(document.createElement('div')),
  'an element after the picture': () => document.querySelector('.picture img')!.after(document.createElement('div')),
  'an element after the text field': () => document.querySelector('#message')!.after(document.createElement('button')),
  'an element in the list': () => document.querySelector('.log-content')!.prepend(document.createElement('p')),
  'texts in font elements': () => {
    const walker = document.createTreeWalker(document.getElementById('app')!, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts) {
      const font = document.createElement('font');
      text.replaceWith(font);
      font.append(text);
    }
  },
  'no comments': () => {
    const walker = document.createTreeWalker(document.getElementById('app')!, NodeFilter.SHOW_COMMENT);
    const comments: Comment[] = [];
    while (walker.nextNode()) comments.push(walker.currentNode as Comment);
    for (const comment of comments) comment.remove();
  },
};

/** The warnings about a changed page. */
function warnings(page: Page) {
  const seen: string[] = [];
  page.on('console', (message) => /changed the page/.test(message.text()) && seen.push(message.text()));
  return seen;
}

/** The second one is Leptos' own, of debug builds: it does not expect an app that hydrates to be mounted. */
const expected = /changed the page|client-side rendering/;

/** Messages are received and sent, and touches are shown. */
async function isLive(page: Page, postElsewhere: (text: string) => Promise<unknown>) {
  const opened = new ImagePage(page);
  await opened.live();
  await expect(page.getByRole('log')).toContainText('said before');
  await postElsewhere('from elsewhere');
  await expect(page.getByRole('log')).toContainText('from elsewhere');
  await page.getByRole('textbox', { name: 'Message' }).fill('from here');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('log')).toContainText('from here');
  await opened.picture.click();
  await expect(page.locator('.ripple')).not.toHaveCount(0);
}

for (const [name, change] of Object.entries(changes)) {
  test(`with ${name} before hydration the page becomes live, and warns once`, async ({
    page,
    request,
    allowConsole,
  }) => {
    allowConsole(expected);
    const warned = warnings(page);
    const shared = await upload(request);
    await post(request, shared, 'said before');
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/*.wasm', async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`/u/${shared.shortID}`, { waitUntil: 'domcontentloaded' });
    await page.locator('#message').fill('typed early');
    await page.evaluate(change);
    release();
    await expect(page.locator('html.hydrated')).toBeAttached();
    await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('typed early');
    await isLive(page, (text) => post(request, shared, text));
    expect(warned.length).toBe(name === 'an element first in body' ? 0 : 1);
  });
}

for (const [name, change] of Object.entries(changes).filter(([name]) => name !== 'no comments')) {
  test(`with ${name} after hydration the page stays live`, async ({ page, request }) => {
    const shared = await upload(request);
    await post(request, shared, 'said before');
    await ImagePage.open(page, shared.shortID);
    await page.evaluate(change);
    await isLive(page, (text) => post(request, shared, text));
  });
}

test('without comments after hydration the page is rendered again, keeps what was written, and warns once', async ({
  page,
  request,
  allowConsole,
}) => {
  allowConsole(expected);
  allowConsole(/net::ERR_/);
  const warned = warnings(page);
  let sockets = 0;
  page.on('websocket', () => sockets++);
  const shared = await upload(request);
  await post(request, shared, 'said before');
  const opened = await ImagePage.open(page, shared.shortID);
  await page.route('**/messages', (route) => route.abort());
  await opened.say('not sent');
  await expect(page.getByText('Waiting for the connection')).toBeVisible();
  await opened.composer.fill('a draft');

  await page.evaluate(changes['no comments']);
  await expect.poll(() => warned.length).toBe(1);
  await expect(opened.composer).toHaveValue('a draft');
  await expect(page.getByText('Waiting for the connection')).toBeAttached();
  await page.unroute('**/messages');
  await isLive(page, (text) => post(request, shared, text));
  expect(sockets).toBe(1);
  expect(warned.length).toBe(1);
});

test('without comments on the home page an upload still gets its page', async ({ page, allowConsole }) => {
  allowConsole(/rendered again/);
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await page.evaluate(changes['no comments']);
  await page.locator('input[type=file][name=file]').setInputFiles(image('coffee.png'));
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
  await new ImagePage(page).live();
});
