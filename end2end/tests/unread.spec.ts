import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { post, upload } from './api';
import { ImagePage } from './pages';

/** Hides the tab, or shows it. */
async function setHidden(page: Page, hidden: boolean) {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    Object.defineProperty(document, 'visibilityState', { value: hidden ? 'hidden' : 'visible', configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, hidden);
}

const icon = (page: Page) => page.locator('link[rel=icon]');

/** The message under the line "New". */
const firstNew = (page: Page) => page.locator('.first-new');

test('the title and the icon of a hidden tab tell of new messages, and a line marks the first', async ({ page, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'Is that foam?');
  const reader = await ImagePage.open(page, shared.shortID);
  await page.clock.install();
  await expect(page).toHaveTitle('Is that foam? · Tonesa');
  await post(request, shared, 'seen');
  await expect(reader.messages).toHaveCount(2);
  await setHidden(page, true);
  await expect(icon(page)).toHaveAttribute('href', '/favicon.svg');
  for (const text of ['one', 'two', 'three']) await post(request, shared, text);
  await expect(page).toHaveTitle('(3) Is that foam? · Tonesa');
  await expect(icon(page)).toHaveAttribute('href', '/favicon-new.svg');
  expect((await request.get('/favicon-new.svg')).ok()).toBe(true);

  await setHidden(page, false);
  await expect(page).toHaveTitle('Is that foam? · Tonesa');
  await expect(icon(page)).toHaveAttribute('href', '/favicon.svg');
  await expect(firstNew(page)).toHaveId('m3');
  expect(await firstNew(page).evaluate((it) => getComputedStyle(it, '::before').content)).toBe('"New"');
  await page.clock.runFor(20_000);
  await expect(firstNew(page)).toHaveCount(1);
  await page.clock.runFor(11_000);
  await expect(firstNew(page)).toHaveCount(0);
});

test('in a tab that was opened in the background only what comes later is new', async ({ page, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'Is that foam?');
  await page.addInitScript(() => Object.defineProperty(document, 'hidden', { value: true, configurable: true }));
  const reader = await ImagePage.open(page, shared.shortID);
  await expect(page).toHaveTitle('Is that foam? · Tonesa');
  await post(request, shared, 'one');
  await expect(reader.messages).toHaveCount(2);
  await expect(page).toHaveTitle('(1) Is that foam? · Tonesa');
});

test('the line goes when the reader writes, and own messages of other tabs are not new', async ({ page, request }) => {
  const shared = await upload(request);
  const reader = await ImagePage.open(page, shared.shortID);
  const other = new ImagePage(await page.context().newPage());
  await other.page.goto(`/u/${shared.shortID}`);
  await other.live();
  await setHidden(page, true);
  await other.say('mine');
  await expect(reader.messages).toHaveCount(1);
  await post(request, shared, 'of another');
  await expect(page).toHaveTitle('(1) mine · Tonesa');
  await setHidden(page, false);
  await expect(firstNew(page)).toHaveId('m2');
  await reader.say('an answer');
  await expect(firstNew(page)).toHaveCount(0);
});

test('an image is named by the first message about it, however old that is', async ({ page, another, request, baseURL }) => {
  const shared = await upload(request);
  const html = async () => (await request.get(`/u/${shared.shortID}`)).text();
  const title = async () => /<title>(.*?)<\/title>/.exec(await html())![1];
  expect(await title()).toMatch(/^Picture of \d+ \w{3}, \d\d:\d\d UTC · Tonesa$/);
  const opened = await ImagePage.open(page, shared.shortID);
  await expect(page).toHaveTitle(/^Picture of .* · Tonesa$/);
  await post(request, shared, 'The shadow on the left side is what I would fix\nbefore all others, really');
  const name = 'The shadow on the left side is what I would fix before all…';
  await expect(page).toHaveTitle(`${name} · Tonesa`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  expect(await title()).toBe(`${name} · Tonesa`);
  for (let n = 2; n <= 60; n++) await post(request, shared, `message ${n}`);
  expect(await title()).toBe(`${name} · Tonesa`);
  expect(await html()).toContain(`property="og:title" content="${name}"`);
  await expect(opened.messages).toHaveCount(60);

  // In the browser, where the page is loaded and where the app opens it.
  const reader = await another.newPage();
  for (const start of [`/u/${shared.shortID}`, '/']) {
    await reader.goto(start);
    await expect(reader.locator('html.hydrated')).toBeAttached();
    if (start === '/') {
      await reader.evaluate((href) => {
        const link = document.createElement('a');
        link.href = href;
        document.body.append(link);
        link.click();
      }, `${baseURL}/u/${shared.shortID}`);
    }
    await expect(reader).toHaveTitle(`${name} · Tonesa`);
    await expect(reader.getByRole('heading', { level: 1 })).toHaveText(name);
  }
});

test('new messages are announced, older ones that are loaded are not', async ({ page, request }) => {
  const shared = await upload(request);
  for (let n = 1; n <= 60; n++) await post(request, shared, `message ${n}`, 'Mira');
  const reader = await ImagePage.open(page, shared.shortID);
  const announced = page.locator('.log-frame > [role=status]').first();
  // Without scrolling to it, which would load them too, and move the button away from the pointer.
  await page.getByRole('button', { name: 'Earlier messages' }).dispatchEvent('click');
  await expect(reader.messages).toHaveCount(60);
  await expect(announced).toHaveText('');
  await expect(page.getByRole('log')).toHaveAttribute('aria-live', 'off');
  await post(request, shared, 'Look here', 'Jonas');
  await expect(announced).toHaveText('Jonas: Look here');
  await reader.say('mine');
  await expect(reader.messages).toHaveCount(62);
  await expect(announced).toHaveText('Jonas: Look here');
});
