import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { post, upload } from './api';
import { ImagePage } from './pages';

test.use({ viewport: { width: 1280, height: 800 } });

const pin = (page: Page, number: number) => page.getByRole('link', { name: new RegExp(`^Pin ${number}: message by`) });

const message = (page: Page, number: number) => page.locator(`#m${number}`);

/** It is in view, and highlighted for a while. */
async function expectShown(page: Page, number: number) {
  await expect(message(page, number)).toBeInViewport({ ratio: 0.9 });
  await expect(message(page, number)).toHaveClass(/found/);
  await expect(message(page, number)).toBeFocused();
}

test('an address leads to its message and its place', async ({ page, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'The first', 'Mira', { x: 0.25, y: 0.75 });
  for (let n = 2; n <= 45; n++) await post(request, shared, `message ${n}`);
  await page.goto(`/u/${shared.shortID}#m1`);
  await new ImagePage(page).live();
  await expectShown(page, 1);
  await expect(pin(page, 1)).toHaveClass(/found/);

  // Changed by hand, and by the way back.
  await page.evaluate(() => (location.hash = '#m30'));
  await expectShown(page, 30);
  await page.goBack();
  await expectShown(page, 1);
  await expect(message(page, 30)).not.toBeInViewport();
});

test('a message that is not listed yet is loaded, without a gap', async ({ page, request }) => {
  const shared = await upload(request);
  for (let n = 1; n <= 160; n++) await post(request, shared, `message ${n}`, 'Mira', n === 7 ? { x: 0.6, y: 0.4 } : undefined);
  await page.goto(`/u/${shared.shortID}#m7`);
  const opened = new ImagePage(page);
  await expectShown(page, 7);
  await expect(pin(page, 1)).toHaveClass(/found/);
  const texts = await opened.texts();
  expect(texts.map((text) => text.replace(/^1\s*/, '').trim()).slice(-154)).toEqual(
    Array.from({ length: 154 }, (_, n) => `message ${n + 7}`),
  );
});

test('navigation inside the app leads to a message', async ({ page, request }) => {
  const [first, second] = [await upload(request), await upload(request)];
  await post(request, first, 'elsewhere');
  for (let n = 1; n <= 60; n++) await post(request, second, `message ${n}`);
  await ImagePage.open(page, first.shortID);
  let documents = 0;
  page.on('request', (sent) => (documents += Number(sent.isNavigationRequest())));
  await page.evaluate((href) => {
    const link = document.createElement('a');
    link.href = href;
    document.body.append(link);
    link.click();
  }, `/u/${second.shortID}#m3`);
  await expectShown(page, 3);
  await expect(page).toHaveURL(new RegExp(`/u/${second.shortID}#m3$`));
  expect(documents).toBe(0);
});

test('an address without a message says so', async ({ page, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'The only one');
  await page.goto(`/u/${shared.shortID}#m12`);
  await expect(page.getByText('There is no message 12.')).toBeVisible();
});

test('the time of a message is its link, which can be copied', async ({ page, request, context, baseURL }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const shared = await upload(request);
  for (let n = 1; n <= 3; n++) await post(request, shared, `message ${n}`, 'Mira');
  await ImagePage.open(page, shared.shortID);
  const copy = (number: number) => message(page, number).getByRole('button', { name: 'Copy link to this message' });
  await expect(copy(1)).toBeHidden();
  await expect(message(page, 1).locator('time')).toBeVisible();
  await expect(message(page, 2).locator('time')).toBeHidden();

  await message(page, 2).hover();
  await copy(2).click();
  await expect(page.getByText('Link to this message copied.')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${baseURL}/u/${shared.shortID}#m2`);

  await message(page, 1).locator('time').click();
  await expect(page).toHaveURL(/#m1$/);
  await expectShown(page, 1);
});

test('with the keyboard the messages are one stop, and arrows lead from one to the next', async ({ page, request, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const shared = await upload(request);
  for (let n = 1; n <= 30; n++) await post(request, shared, `message ${n}`, n % 2 ? 'Mira' : 'Jonas');
  const opened = await ImagePage.open(page, shared.shortID);
  const log = page.getByRole('log');
  // Away from the messages: the browser repeats the pointer's place in the test before, and the message under it shows
  // its button, which is a stop.
  await page.mouse.move(0, 0);
  await log.focus();
  await page.keyboard.press('Tab');
  await expect(opened.composer.or(page.getByRole('button', { name: /^Writing as/ })).and(page.locator(':focus'))).toBeFocused();

  await log.focus();
  for (let n = 30; n >= 28; n--) {
    await page.keyboard.press('ArrowUp');
    await expect(message(page, n)).toBeFocused();
  }
  await page.keyboard.press('ArrowDown');
  await expect(message(page, 29)).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/#m29$/);
});

test('the browser handles clicks that open a link elsewhere', async ({ page, context, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'Here', 'Mira', { x: 0.4, y: 0.4 });
  await ImagePage.open(page, shared.shortID);
  const chip = page.getByRole('link', { name: 'Pin 1 on the picture' });
  for (const [link, hash] of [[chip, '#pin1'], [pin(page, 1), '#m1']] as const) {
    for (const how of [{ modifiers: ['Control'] }, { button: 'middle' }] as const) {
      const opened = context.waitForEvent('page');
      await link.click(how as Parameters<typeof link.click>[0]);
      const other = await opened;
      await expect(other).toHaveURL(new RegExp(`${shared.shortID}${hash}$`));
      await new ImagePage(other).live();
      await other.close();
    }
  }
  await expect(chip).not.toBeFocused();
  expect(new URL(page.url()).hash).toBe('');
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('an address leads to its message', async ({ page, request }) => {
    const shared = await upload(request);
    for (let n = 1; n <= 45; n++) await post(request, shared, `message ${n}`);
    await page.goto(`/u/${shared.shortID}#m2`);
    await expect(message(page, 2)).toBeInViewport();
    await expect(message(page, 2)).toHaveCSS('outline-style', 'solid');
  });
});

test.describe('with fingers', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('targets of chips and links are 40 px large', async ({ page, request }) => {
    const shared = await upload(request);
    await post(request, shared, 'Here, where I tapped it', 'Mira', { x: 0.4, y: 0.4 });
    await ImagePage.open(page, shared.shortID);
    await message(page, 1).tap();
    await expect(page.locator('.copy-message')).toBeVisible();
    for (const selector of ['.chip', '.permalink', '.copy-message']) {
      const size = await page.locator(selector).evaluate((element) => {
        const box = element.getBoundingClientRect();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        const isHit = (x: number, y: number) => document.elementFromPoint(x, y) === element || element.contains(document.elementFromPoint(x, y));
        let [left, right, top, bottom] = [x, x, y, y];
        while (isHit(left - 1, y)) left--;
        while (isHit(right + 1, y)) right++;
        while (isHit(x, top - 1)) top--;
        while (isHit(x, bottom + 1)) bottom++;
        return { width: right - left + 1, height: bottom - top + 1 };
      });
      expect(size.height, selector).toBeGreaterThanOrEqual(39);
      expect(size.width, selector).toBeGreaterThanOrEqual(39);
    }
  });
});
