import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { messages, post, upload, type Upload } from './api';
import { drag } from './mouse';
import { ImagePage } from './pages';
import { screenshot } from './screenshots';

test.use({ viewport: { width: 1280, height: 800 } });

/** Posts a message with a place. */
const postAt = (request: APIRequestContext, shared: Upload, content: string, x: number, y: number, author = 'Mira') =>
  post(request, shared, content, author, { x, y });

const pin = (page: Page, number: number) => page.getByRole('link', { name: new RegExp(`^Pin ${number}: message by`) });

const chip = (page: Page, number: number) => page.getByRole('log').getByRole('link', { name: `Pin ${number} on the picture` });

const place = (page: Page) => page.getByText('where you tapped');

/** How far the pin's tip is from this fraction of the picture, in pixels. */
async function distance(page: Page, number: number, x: number, y: number) {
  return page.evaluate(
    ([number, x, y]) => {
      const picture = document.querySelector('.picture img')!.getBoundingClientRect();
      const tip = document.getElementById(`pin${number}`)!.getBoundingClientRect();
      return Math.hypot(tip.left - picture.left - x * picture.width, tip.bottom - picture.top - y * picture.height);
    },
    [number, x, y],
  );
}

/** The types of the frames that the page sends. */
function framesOf(page: Page): string[] {
  const sent: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => sent.push(JSON.parse(String(payload)).type)),
  );
  return sent;
}

/** The messages' places as they are stored. */
const stored = async (request: APIRequestContext, shared: Upload) =>
  (await messages(request, shared)).map(({ at }) => at);

test('a message after a tap has its place, which everyone sees', async ({ page, another, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  const reader = await ImagePage.openAsAnother(another, shared.shortID);
  for (let n = 0; n < 3; n++) await reader.page.getByRole('button', { name: 'Zoom in' }).click();
  await expect(page.getByRole('button', { name: /^Pins/ })).toBeHidden();
  await expect(place(page)).toBeHidden();
  await writer.tap(0.3, 0.4);
  await expect(place(page)).toBeVisible();
  await expect(writer.composer).toHaveAttribute('placeholder', 'Say something about this place…');
  await writer.say('Here');
  await expect(place(page)).toBeHidden();
  await expect(writer.composer).toHaveAttribute('placeholder', 'Say something…');
  for (const { page } of [writer, reader]) {
    await expect(pin(page, 1)).toBeVisible();
    await expect(chip(page, 1)).toBeVisible();
    await expect(page.getByRole('button', { name: 'Pins 1' })).toBeVisible();
    await expect.poll(() => distance(page, 1, 0.3, 0.4)).toBeLessThan(2);
    expect((await pin(page, 1).boundingBox())!.width).toBeLessThan(36);
  }
  await writer.say('No place');
  await expect(reader.messages).toHaveCount(2);
  const places = await stored(request, shared);
  expect(places[0]!.x).toBeCloseTo(0.3, 2);
  expect(places[0]!.y).toBeCloseTo(0.4, 2);
  expect(places[1]).toBeUndefined();

  await page.reload();
  await writer.live();
  await expect(pin(page, 1)).toBeVisible();
  expect(await distance(page, 1, 0.3, 0.4)).toBeLessThan(2);
});

test('the cross leaves the place off', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await writer.tap(0.3, 0.4);
  await page.getByRole('button', { name: 'Leave the place off' }).click();
  await expect(place(page)).toBeHidden();
  await writer.say('Everywhere');
  await expect.poll(() => stored(request, shared)).toEqual([undefined]);
});

test('a message that is not stored yet has its place without a number', async ({ page, request, allowConsole }) => {
  allowConsole(/net::ERR_/);
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await page.route('**/messages', (route) => route.abort());
  await writer.tap(0.5, 0.5);
  await writer.say('Later');
  await expect(page.getByRole('log').locator('.chip')).toHaveText('◎');
  await expect(page.getByRole('log').locator('a.chip')).toHaveCount(0);
  await expect(page.locator('.pin')).toHaveCount(0);
  await page.unroute('**/messages');
  await expect(chip(page, 1)).toHaveText('1', { timeout: 15_000 });
  await expect(pin(page, 1)).toBeVisible();
});

test('a right click and P begin a message at their place', async ({ page, request }) => {
  const sent = framesOf(page);
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  const box = (await writer.picture.boundingBox())!;
  await page.mouse.click(box.x + 0.7 * box.width, box.y + 0.2 * box.height, { button: 'right' });
  await expect(writer.composer).toBeFocused();
  await page.keyboard.type('By a right click');
  await page.keyboard.press('Enter');
  await expect(pin(page, 1)).toBeVisible();
  expect(await distance(page, 1, 0.7, 0.2)).toBeLessThan(2);

  await page.getByRole('button', { name: 'Point at the picture' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('p');
  await expect(writer.composer).toBeFocused();
  await expect(writer.composer).toHaveValue('');
  await page.keyboard.type('By the keyboard');
  await page.keyboard.press('Enter');
  await expect(pin(page, 2)).toBeVisible();
  expect(await distance(page, 2, 0.55, 0.5)).toBeLessThan(2);
  expect(sent).not.toContain('touch');
});

test('the menu key begins a message in the middle of what is shown, or at the crosshair', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  // Not where the pointer is.
  await writer.tap(0.2, 0.2);
  await page.keyboard.press('Shift+F10');
  await expect(writer.composer).toBeFocused();
  await writer.say('In the middle');
  await expect(pin(page, 1)).toBeVisible();
  await page.getByRole('button', { name: 'Point at the picture' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ContextMenu');
  await expect(writer.composer).toBeFocused();
  await writer.say('At the crosshair');
  await expect(pin(page, 2)).toBeVisible();
  const places = (await stored(request, shared)).map((at) => [at!.x.toFixed(3), at!.y.toFixed(3)]);
  expect(places).toEqual([['0.500', '0.500'], ['0.550', '0.500']]);
  // A pin keeps a link's menu.
  await pin(page, 1).focus();
  await page.keyboard.press('Shift+F10');
  await expect(pin(page, 1)).toBeFocused();
  await expect(place(page)).toBeHidden();
});

test('the place is announced, and is there after a reload like the text', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  const announced = page.getByRole('status').filter({ hasText: 'The message belongs to a place' });
  await expect(announced).toHaveCount(0);
  await writer.tap(0.3, 0.4);
  await expect(announced).toContainText(/ 30% from the left and 40% from the top/);
  await writer.composer.fill('A draft');
  await page.reload();
  await writer.live();
  await expect(place(page)).toBeVisible();
  await expect(writer.composer).toHaveValue('A draft');
  await writer.composer.press('Enter');
  await expect(pin(page, 1)).toBeVisible();
  await expect.poll(() => distance(page, 1, 0.3, 0.4)).toBeLessThan(2);
  await page.reload();
  await writer.live();
  await expect(place(page)).toBeHidden();
});

test('a message that was refused keeps to its own place', async ({ page, request, allowConsole }) => {
  allowConsole(/422/);
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  const problem = { type: 'about:blank', title: 'No', status: 422, detail: 'No.' };
  await page.route('**/messages', (route) =>
    route.fulfill({ status: 422, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
  );
  await writer.say('About nothing in particular');
  await writer.tap(0.3, 0.4);
  await expect(place(page)).toBeVisible();
  await page.getByRole('button', { name: 'Edit' }).click();
  await expect(writer.composer).toHaveValue('About nothing in particular');
  await expect(place(page)).toBeHidden();
});

test('a pin leads to its message, and a chip to its place', async ({ page, request }) => {
  const sent = framesOf(page);
  const shared = await upload(request);
  await postAt(request, shared, 'The first', 0.25, 0.75, 'Jonas');
  for (let n = 0; n < 40; n++) await post(request, shared, `filler ${n}`);
  await postAt(request, shared, 'The last', 0.8, 0.3);
  const opened = await ImagePage.open(page, shared.shortID);
  const first = opened.messages.filter({ hasText: 'The first' });
  await expect(first).not.toBeInViewport();
  await page.getByRole('link', { name: 'Pin 1: message by Jonas' }).click();
  await expect(first).toBeInViewport({ ratio: 1 });
  await expect(chip(page, 1)).toHaveClass(/lit/);
  await expect(pin(page, 1)).toHaveClass(/lit/);
  await expect(pin(page, 2)).not.toHaveClass(/lit/);
  expect(new URL(page.url()).hash).toBe('');

  // Zoomed until the other place is out of view.
  await page.mouse.move((await pin(page, 1).boundingBox())!.x + 10, (await pin(page, 1).boundingBox())!.y + 10);
  await page.keyboard.down('Control');
  for (let n = 0; n < 8; n++) await page.mouse.wheel(0, -100);
  await page.keyboard.up('Control');
  await expect(pin(page, 2)).not.toBeInViewport();
  await chip(page, 2).click();
  await expect(pin(page, 2)).toBeInViewport({ ratio: 1 });
  await expect(pin(page, 2)).toHaveClass(/lit/);
  await expect.poll(() => distance(page, 2, 0.8, 0.3)).toBeLessThan(2);

  // A drag that begins on a pin is none of its clicks, and nothing was tapped.
  const { x, y } = (await pin(page, 2).boundingBox())!;
  await drag(page, { x: x + 10, y: y + 10 }, { x: -50, y: -40 });
  await expect(chip(page, 2)).not.toBeFocused();
  expect(sent).not.toContain('touch');
  await expect(opened.ripples).toHaveCount(0);
  await expect(place(page)).toBeHidden();
});

test('pins can be hidden', async ({ page, request }) => {
  const shared = await upload(request);
  await postAt(request, shared, 'Here', 0.4, 0.4);
  await ImagePage.open(page, shared.shortID);
  const button = page.getByRole('button', { name: 'Pins 1' });
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  await button.click();
  await expect(button).toHaveAttribute('aria-pressed', 'false');
  await expect(pin(page, 1)).toBeHidden();
  await chip(page, 1).click();
  await expect(pin(page, 1)).toBeVisible();
});

/** Whether no two of the first pins cover each other. */
const areApart = (page: Page, count: number) =>
  page.evaluate((count) => {
    const boxes = Array.from({ length: count }, (_, n) => document.getElementById(`pin${n + 1}`)!.getBoundingClientRect());
    return boxes.every((a, i) =>
      boxes.slice(i + 1).every((b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top),
    );
  }, count);

test('pins that cover each other are spread while one is pointed at or focused', async ({ page, request }) => {
  const shared = await upload(request);
  const places = [[0.5, 0.5], [0.505, 0.5], [0.5, 0.508]];
  for (const [x, y] of places) await postAt(request, shared, 'here', x, y);
  await postAt(request, shared, 'elsewhere', 0.8, 0.2);
  const opened = await ImagePage.open(page, shared.shortID);
  expect(await areApart(page, 3)).toBe(false);
  await pin(page, 3).hover();
  await expect.poll(() => areApart(page, 4)).toBe(true);
  await expect.poll(() => distance(page, 4, 0.8, 0.2)).toBeLessThan(2);
  // Each can be followed.
  await pin(page, 1).click();
  await expect(chip(page, 1)).toBeFocused();
  const box = (await opened.picture.boundingBox())!;
  const away = () => page.mouse.move(box.x + 20, box.y + 20, { steps: 3 });
  await away();
  await expect.poll(() => distance(page, 1, 0.5, 0.5)).toBeLessThan(2);
  // Whichever of them is on top.
  const top = (await pin(page, 1).boundingBox())!;
  await page.mouse.move(top.x + top.width / 2, top.y + top.height / 2, { steps: 3 });
  await expect.poll(() => areApart(page, 3)).toBe(true);

  await away();
  for (const [n, [x, y]] of places.entries()) await expect.poll(() => distance(page, n + 1, x, y)).toBeLessThan(2);
  // Off the stage: the browser repeats the pointer's place when something moves below it, which closes them.
  await page.mouse.move(2, 2);
  await expect.poll(() => page.locator('.stage').evaluate((stage) => stage.matches(':hover'))).toBe(false);
  await page.keyboard.press('Tab');
  await pin(page, 1).focus();
  await expect.poll(() => areApart(page, 3)).toBe(true);
  await opened.composer.focus();
  await expect.poll(() => areApart(page, 3)).toBe(false);
});

test('a message touches no other pin', async ({ page, request }) => {
  const shared = await upload(request);
  for (let n = 0; n < 40; n++) await postAt(request, shared, `place ${n}`, (n % 8) / 10 + 0.05, Math.floor(n / 8) / 10 + 0.15);
  await ImagePage.open(page, shared.shortID);
  await expect(page.locator('.pin')).toHaveCount(40);
  await page.evaluate(() => {
    const changed: Node[] = [];
    const observer = new MutationObserver((records) => records.forEach(({ target }) => changed.push(target)));
    for (const pin of document.querySelectorAll('.pin')) observer.observe(pin, { attributes: true, childList: true, subtree: true });
    const removed: Node[] = [];
    new MutationObserver((records) => records.forEach(({ removedNodes }) => removed.push(...removedNodes))).observe(
      document.querySelector('.pins')!,
      { childList: true },
    );
    Object.assign(window, { changes: () => changed.length + removed.length });
  });
  await post(request, shared, 'without a place');
  await postAt(request, shared, 'one more', 0.9, 0.9);
  await expect(page.locator('.pin')).toHaveCount(41);
  expect(await page.evaluate(() => (window as unknown as { changes: () => number }).changes())).toBe(0);
});

for (const width of [390, 1280]) {
  test(`many pins are smaller and leave most of the picture free, ${width} px`, async ({ page, request }) => {
    await page.setViewportSize({ width, height: 844 });
    const shared = await upload(request);
    const postNext = (n: number) => postAt(request, shared, `place ${n}`, (n % 6) / 6 + 0.05, Math.floor(n / 6) / 6 + 0.2);
    for (let n = 0; n < 12; n++) await postNext(n);
    const opened = await ImagePage.open(page, shared.shortID);
    expect((await pin(page, 12).boundingBox())!.width).toBeCloseTo(30, 0);
    for (let n = 12; n < 30; n++) await postNext(n);
    await expect(page.locator('.pin')).toHaveCount(30);
    await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished.catch(() => undefined))));
    await screenshot(page, `many-pins-${width}`);
    const size = (await pin(page, 12).boundingBox())!.width;
    expect(size).toBeCloseTo(width === 390 ? 20 : 24, 0);
    const picture = (await opened.picture.boundingBox())!;
    expect((30 * size * size) / (picture.width * picture.height)).toBeLessThan(0.15);
    for (const n of [0, 20, 28]) expect(await distance(page, n + 1, (n % 6) / 6 + 0.05, Math.floor(n / 6) / 6 + 0.2)).toBeLessThan(2);
  });
}

test.describe('with fingers', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });

  test('a long press begins a message and taps nothing', async ({ page, request }) => {
    const sent = framesOf(page);
    const shared = await upload(request);
    const writer = await ImagePage.open(page, shared.shortID);
    const box = (await writer.picture.boundingBox())!;
    const session = await page.context().newCDPSession(page);
    const at = { x: box.x + 0.6 * box.width, y: box.y + 0.6 * box.height };
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
    await expect(page.locator('.pen')).toBeVisible();
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await expect(writer.composer).toBeFocused();
    await expect(place(page)).toBeVisible();
    await writer.composer.fill('Held');
    await page.getByRole('button', { name: 'Send' }).click();
    await expect(pin(page, 1)).toBeVisible();
    await expect.poll(() => distance(page, 1, 0.6, 0.6)).toBeLessThan(2);
    expect(sent).not.toContain('touch');
  });

  test('a tap spreads pins that cover each other, and the next one leads to a message', async ({ page, request }) => {
    const shared = await upload(request);
    for (const x of [0.5, 0.51]) await postAt(request, shared, 'here', x, 0.5);
    await ImagePage.open(page, shared.shortID);
    await pin(page, 2).tap();
    await expect.poll(() => areApart(page, 2)).toBe(true);
    await expect(chip(page, 2)).not.toBeFocused();
    await pin(page, 1).tap();
    await expect(chip(page, 1)).toBeFocused();
  });

  test('a press that ended is no long press, whatever is pressed next', async ({ page, request }) => {
    const shared = await upload(request);
    const writer = await ImagePage.open(page, shared.shortID);
    await page.clock.install();
    const box = (await writer.picture.boundingBox())!;
    const session = await page.context().newCDPSession(page);
    const at = { x: box.x + 0.6 * box.width, y: box.y + 0.6 * box.height };
    const press = () => session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
    const end = (type: 'touchEnd' | 'touchCancel') => session.send('Input.dispatchTouchEvent', { type, touchPoints: [] });
    await press();
    await page.clock.runFor(300);
    await end('touchCancel');
    await press();
    await page.clock.runFor(300);
    await expect(writer.composer).not.toBeFocused();
    await end('touchCancel');
    await page.clock.runFor(1_000);
    await expect(writer.composer).not.toBeFocused();
    await press();
    await page.clock.runFor(600);
    await expect(writer.composer).not.toBeFocused();
    await end('touchEnd');
    await expect(writer.composer).toBeFocused();
  });
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('pins lead to their messages', async ({ page, request }) => {
    const shared = await upload(request);
    await postAt(request, shared, 'The first', 0.25, 0.75);
    for (let n = 0; n < 40; n++) await post(request, shared, `filler ${n}`);
    await page.goto(`/u/${shared.shortID}`);
    const first = page.locator('.bubble').filter({ hasText: 'The first' });
    await expect(first).not.toBeInViewport();
    await pin(page, 1).click();
    await expect(page).toHaveURL(/#m1$/);
    await expect(first).toBeInViewport();
  });

  test('all pins are at their places, and make no large headers', async ({ page, request }) => {
    const shared = await upload(request);
    for (let n = 0; n < 50; n++) await postAt(request, shared, `place ${n}`, (n % 8) / 10 + 0.05, n / 60 + 0.1);
    const answer = await page.goto(`/u/${shared.shortID}`);
    await expect(page.locator('.pin')).toHaveCount(50);
    // Some proxies take 4 kB for all headers.
    expect(JSON.stringify(answer!.headers()).length).toBeLessThan(2_000);
    for (const n of [0, 20, 49]) expect(await distance(page, n + 1, (n % 8) / 10 + 0.05, n / 60 + 0.1)).toBeLessThan(2);
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    test.describe(`${colorScheme}, ${viewport.width} px`, () => {
      test.use({ colorScheme, viewport });

      test('pins are drops at their places in their authors\' colours, and the lit one is white', async ({ page, request }) => {
        const shared = await upload(request, 'coffee.png');
        const places = [[0.37, 0.17], [0.67, 0.63], [0.19, 0.44]];
        await postAt(request, shared, 'Is that foam or a reflection, up here on the rim?', 0.37, 0.17);
        await postAt(request, shared, 'Same light on the spoon.', 0.67, 0.63, 'Jonas');
        await postAt(request, shared, 'The shadow on the left is what I would fix first.', 0.19, 0.44, 'Kim');
        const opened = await ImagePage.open(page, shared.shortID);
        await opened.tap(0.44, 0.57);
        await expect(place(page)).toBeVisible();
        await chip(page, 2).hover();
        await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished.catch(() => undefined))));
        await screenshot(page, `pins-${colorScheme}-${viewport.width}`);

        const avatars = opened.page.locator('.message .avatar');
        const colours = await avatars.evaluateAll((all) => all.map((it) => getComputedStyle(it).backgroundColor));
        expect(new Set(colours).size).toBe(3);
        const white = 'rgb(255, 255, 255)';
        for (const [n, [x, y]] of places.entries()) {
          expect(await distance(page, n + 1, x, y)).toBeLessThan(1.5);
          await expect(pin(page, n + 1)).toHaveText(String(n + 1));
          await expect(pin(page, n + 1)).toHaveCSS('background-color', n === 1 ? white : colours[n]);
          await expect(pin(page, n + 1)).toHaveCSS('color', n === 1 ? colours[n] : white);
          const size = (await pin(page, n + 1).boundingBox())!;
          expect(size.width).toBeCloseTo(n === 1 ? 34 : 30, 0);
          expect(size.height).toBeCloseTo(size.width, 0);
          // The tip is the only corner.
          const corners = await pin(page, n + 1).evaluate((it) => getComputedStyle(it).borderRadius);
          expect(corners).toBe('50% 50% 50% 3px');
        }
        await expect(chip(page, 2)).toHaveCSS('background-color', white);
        await expect(chip(page, 1)).toHaveCSS('background-color', colours[0]);
      });
    });
  }
}
