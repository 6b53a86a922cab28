import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { post, upload } from './api';
import { ImagePage } from './pages';
import { screenshot } from './screenshots';

async function filled(page: Page, request: Parameters<typeof upload>[0], name = 'coffee.png') {
  const shared = await upload(request, name);
  await post(request, shared, 'Is that foam or a reflection?', 'Mira', { x: 0.38, y: 0.3 });
  for (let n = 2; n <= 20; n++) await post(request, shared, `message ${n}`, n % 3 ? 'Jonas' : 'Mira');
  return ImagePage.open(page, shared.shortID);
}

/** How many lines of text of the log are in view. */
const visibleLines = (page: Page) =>
  page.evaluate(() => {
    const log = document.querySelector('.log-frame')!.getBoundingClientRect();
    const composer = document.querySelector('.composer')!.getBoundingClientRect();
    return (Math.min(log.bottom, composer.top) - Math.max(log.top, 0)) / 24;
  });

test('the head line of an own message ends where its bubble does', async ({ page, request }) => {
  const shared = await upload(request);
  const opened = await ImagePage.open(page, shared.shortID);
  await opened.say('Hello');
  const message = page.locator('.message.mine').filter({ hasText: 'Hello' });
  await expect(message.locator('.permalink[href]')).toBeVisible();
  await page.mouse.move(0, 0);
  const end = (selector: string) => message.locator(selector).evaluate((it) => it.getBoundingClientRect().right);
  expect(await end('time')).toBeCloseTo(await end('.bubble'), 0);
});

for (const width of [390, 1280]) {
  test(`a long alias is cut so that the time is beside it, ${width} px`, async ({ page, request }) => {
    await page.setViewportSize({ width, height: 800 });
    const shared = await upload(request);
    await post(request, shared, 'Hello', 'W'.repeat(40));
    await ImagePage.open(page, shared.shortID);
    const message = page.locator('.message');
    const box = async (selector: string) => (await message.locator(selector).boundingBox())!;
    const [name, time, row] = [await box('bdi'), await box('time'), (await message.boundingBox())!];
    expect(Math.abs(name.y + name.height / 2 - time.y - time.height / 2)).toBeLessThan(3);
    expect(time.x).toBeGreaterThanOrEqual(name.x + name.width);
    expect(time.x + time.width).toBeLessThanOrEqual(row.x + row.width);
    expect((await box('.bubble')).y - time.y - time.height).toBeLessThan(8);
    await screenshot(page, 'alias');
    // What can be done with the message covers the name's end, and can be reached.
    await message.hover();
    await message.getByRole('button', { name: 'Copy link to this message' }).click();
    await expect(page.locator('.log-note')).toHaveText(/link to this message/i);
  });
}

for (const width of [390, 820]) {
  test(`what can be done with a message that follows another covers no text and is near, ${width} px`, async ({ page, request }) => {
    await page.setViewportSize({ width, height: 1180 });
    const shared = await upload(request);
    for (const text of ['A first message', 'A second one']) await post(request, shared, text);
    await ImagePage.open(page, shared.shortID);
    const second = page.locator('.message').nth(1);
    await second.hover();
    await expect(second.locator('.message-head')).toBeVisible();
    await screenshot(page, 'follows');
    const head = (await second.locator('.message-head').boundingBox())!;
    const line = (bubble: Element) => {
      const range = document.createRange();
      range.selectNodeContents(bubble);
      const { top, bottom } = range.getBoundingClientRect();
      return { top, bottom };
    };
    const above = await page.locator('.bubble').first().evaluate(line);
    const own = await second.locator('.bubble').evaluate(line);
    expect(head.y).toBeGreaterThan(above.bottom - 3);
    expect(head.y + head.height).toBeLessThan(own.top + 5);
    expect(head.x + head.width).toBeLessThan(450);
  });
}

test('at 400 % zoom the page opens at the newest message, with the composer in reach', async ({ page, request }) => {
  await page.setViewportSize({ width: 320, height: 256 });
  const opened = await filled(page, request);
  await screenshot(page, 'zoomed');
  await expect(opened.messages.last()).toBeInViewport({ ratio: 0.9 });
  await expect(opened.composer).toBeInViewport({ ratio: 1 });
  expect(await visibleLines(page)).toBeGreaterThan(4);
  await opened.say('One more');
  await expect(opened.messages.last()).toHaveText('One more');
  await expect(opened.messages.last()).toBeInViewport({ ratio: 0.9 });
  await page.getByRole('link', { name: 'Tonesa', exact: true }).focus();
  await expect(page.getByRole('link', { name: 'Tonesa', exact: true })).toBeInViewport({ ratio: 1 });
  const { above, below } = await page.evaluate(() => ({
    above: document.querySelector('.header')!.getBoundingClientRect().bottom,
    below: document.querySelector('.stage')!.getBoundingClientRect().top,
  }));
  expect(above).toBeLessThanOrEqual(below);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
});

test('above the keyboard of a phone in landscape the messages can be read', async ({ page, request }) => {
  await page.setViewportSize({ width: 844, height: 390 });
  const opened = await filled(page, request);
  await opened.composer.focus();
  for (const size of [{ width: 844, height: 190 }, { width: 667, height: 170 }]) {
    await page.setViewportSize(size);
    await screenshot(page, `landscape-${size.width}`);
    expect(await visibleLines(page)).toBeGreaterThan(2.5);
    await expect(opened.messages.last()).toBeInViewport({ ratio: 0.9 });
    await expect(opened.composer).toBeInViewport({ ratio: 1 });
  }
});

for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
  test(`text twice as large is not cut, ${viewport.width} px`, async ({ page, request }) => {
    await page.setViewportSize(viewport);
    const opened = await filled(page, request);
    await opened.tap(0.3, 0.3);
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    await screenshot(page, 'large');
    const cut = await page.evaluate(() => {
      const outside = (it: Element) => {
        const { left, right, width, height } = it.getBoundingClientRect();
        return width > 1 && height > 1 && (left < -1 || right > innerWidth + 1);
      };
      // Its text is larger than its box, which does not scroll.
      const isCut = (it: Element) => it.scrollWidth > it.clientWidth + 1 || it.scrollHeight > it.clientHeight + 1;
      const texts = [...document.querySelectorAll('.header *, .zoom-bar, .zoom-bar *, .pin, .chip, .avatar, .place, .composer *, .message *')];
      const shown = texts.filter((it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest('.visually-hidden, .skip, textarea, svg'));
      return shown
        .filter((it) => outside(it) || (it.matches('.pin, .chip, .avatar, .zoom-bar *, .button') && isCut(it) && getComputedStyle(it, '::after').content === 'none'))
        .map((it) => it.outerHTML.slice(0, 100));
    });
    expect(cut).toEqual([]);
    expect(await visibleLines(page)).toBeGreaterThan(4);
  });
}

test('on paper are the picture, its pins and all loaded messages', async ({ page, request }) => {
  const opened = await filled(page, request);
  for (let n = 0; n < 3; n++) await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.emulateMedia({ media: 'print' });
  await screenshot(page, 'print');
  const picture = (await opened.picture.boundingBox())!;
  expect(picture.width / picture.height).toBeCloseTo(1.5, 1);
  expect(picture.x).toBeGreaterThanOrEqual(0);
  const pin = (await page.locator('.pin').boundingBox())!;
  expect(pin.x).toBeCloseTo(picture.x + 0.38 * picture.width, 0);
  expect(pin.width).toBeCloseTo(30, 0);
  const boxes = await opened.messages.evaluateAll((all) => all.map((it) => it.getBoundingClientRect().top));
  expect(boxes).toHaveLength(20);
  expect(boxes[0]).toBeGreaterThan(picture.y + picture.height);
  // None is cut off by a box that scrolls.
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeGreaterThan(boxes[19]);
  for (const hidden of [opened.composer, page.getByRole('group', { name: 'Zoom' }), page.locator('.hint')]) {
    await expect(hidden).toBeHidden();
  }
});

for (const [name, isTouch] of [['a mouse', false], ['a finger', true]] as const) {
  test.describe(`with ${name}`, () => {
    test.use({ hasTouch: isTouch, isMobile: isTouch });

    test('the hint says what to do, and goes by itself', async ({ page, request }) => {
      await ImagePage.open(page, (await upload(request)).shortID);
      const hint = page.locator('.hint');
      await expect(hint.getByText(isTouch ? /^Tap/ : /^Click/)).toBeVisible();
      await expect(hint.getByText(isTouch ? /^Click/ : /^Tap/)).toBeHidden();
      await page.evaluate(() => document.getAnimations().forEach((it) => it.finish()));
      await expect(hint).toBeHidden();
    });

    test('the hint covers no pins', async ({ page, request }) => {
      await filled(page, request);
      await expect(page.locator('.pin')).toBeVisible();
      await expect(page.locator('.hint')).toBeHidden();
    });
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('a transparent picture stands on a checkerboard', async ({ page, request }) => {
      const opened = await filled(page, request, 'transparent.webp');
      await screenshot(page, `transparent-${colorScheme}`);
      const background = await opened.picture.evaluate((it) => getComputedStyle(it).backgroundImage);
      expect(background).toMatch(/repeating-conic-gradient\(rgb\(255, 255, 255\) .*rgb\(211, 212, 215\)/);
    });
  });
}

test('the focus is never on something that is not seen', async ({ page, request }) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await filled(page, request);
  const invisible: string[] = [];
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const it = document.activeElement!;
      if (it === document.body) return '';
      const { width, height } = it.getBoundingClientRect();
      const isSeen = it.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && width > 8 && height > 8;
      return isSeen ? '' : it.outerHTML.slice(0, 100);
    });
    if (focused) invisible.push(focused);
  }
  expect(invisible).toEqual([]);
});
