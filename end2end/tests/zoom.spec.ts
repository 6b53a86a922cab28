import { expect, type CDPSession, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { upload } from './api';
import { doubleClick, drag } from './mouse';
import { ImagePage } from './pages';
import { uploadPng } from './pictures';

test.use({ viewport: { width: 1280, height: 800 } });

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The picture once it no longer moves. */
async function shown(page: Page): Promise<Box> {
  return page.evaluate(async () => {
    const picture = document.querySelector('.picture')!;
    await Promise.all(picture.getAnimations({ subtree: true }).filter((it) => it instanceof CSSTransition).map((it) => it.finished.catch(() => undefined)));
    const { x, y, width, height } = picture.querySelector('img')!.getBoundingClientRect();
    return { x, y, width, height };
  });
}

const room = async (page: Page): Promise<Box> => (await page.locator('.room').boundingBox())!;

const bar = (page: Page) => page.getByRole('group', { name: 'Zoom' });

/** The percentage in the bar. */
async function percentage(page: Page) {
  return Number.parseInt(await bar(page).locator('output').innerText());
}

/** The fraction of the picture at this place of the window. */
const fractionAt = (box: Box, x: number, y: number) => ({ x: (x - box.x) / box.width, y: (y - box.y) / box.height });

/** A place of the window that shows this fraction of the picture. */
const placeOf = (box: Box, x: number, y: number) => ({ x: box.x + x * box.width, y: box.y + y * box.height });

async function wheelWithControl(page: Page, at: { x: number; y: number }, turns: number) {
  await page.mouse.move(at.x, at.y);
  await page.keyboard.down('Control');
  for (let n = 0; n < Math.abs(turns); n++) await page.mouse.wheel(0, Math.sign(turns) * 100);
  await page.keyboard.up('Control');
}

/** What is at the place is still there, to within a pixel. */
function expectStill(before: Box, after: Box, at: { x: number; y: number }) {
  const fraction = fractionAt(before, at.x, at.y);
  const place = placeOf(after, fraction.x, fraction.y);
  expect(Math.abs(place.x - at.x)).toBeLessThan(1);
  expect(Math.abs(place.y - at.y)).toBeLessThan(1);
}

/** In each direction the picture is inside the room, or covers it. */
function expectBounded(box: Box, room: Box) {
  for (const [from, length, start, size] of [
    [room.x, room.width, box.x, box.width],
    [room.y, room.height, box.y, box.height],
  ]) {
    const isInside = start > from - 1 && start + size < from + length + 1;
    const covers = start < from + 1 && start + size > from + length - 1;
    expect(isInside || covers, `${start} to ${start + size} in ${from} to ${from + length}`).toBe(true);
  }
}

/** The types of the frames that the page sends. */
function framesOf(page: Page): string[] {
  const sent: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => sent.push(JSON.parse(String(payload)).type)),
  );
  return sent;
}

/** Nothing was tapped: a later tap is the only one. */
async function expectNoTapBefore(opened: ImagePage, sent: string[]) {
  await opened.page.getByRole('button', { name: 'Point at the picture' }).press('Enter');
  await expect.poll(() => sent.filter((type) => type === 'touch').length).toBe(1);
  await expect(opened.ripples).toHaveCount(1);
}

async function touch(session: CDPSession, type: 'touchStart' | 'touchMove' | 'touchEnd', points: number[][]) {
  const touchPoints = points.map(([x, y], id) => ({ x, y, id }));
  await session.send('Input.dispatchTouchEvent', { type, touchPoints });
}

test('the wheel with Ctrl zooms around the pointer', async ({ page, request }) => {
  await ImagePage.open(page, (await upload(request)).shortID);
  const fitted = await shown(page);
  const at = placeOf(fitted, 0.37, 0.61);
  await wheelWithControl(page, at, -4);
  await expect.poll(() => percentage(page)).toBeGreaterThan(200);
  const zoomed = await shown(page);
  expectStill(fitted, zoomed, at);

  const corner = { x: at.x + 150, y: at.y - 100 };
  await wheelWithControl(page, corner, -2);
  await expect.poll(() => percentage(page)).toBeGreaterThan(350);
  const closer = await shown(page);
  expectStill(zoomed, closer, corner);

  await wheelWithControl(page, at, 20);
  await expect.poll(() => percentage(page)).toBe(100);
  expect(await shown(page)).toEqual(fitted);
  expect(await page.evaluate(() => visualViewport!.scale)).toBe(1);
});

test('the wheel moves a picture that is larger than the stage', async ({ page, request }) => {
  await ImagePage.open(page, (await upload(request)).shortID);
  const fitted = await shown(page);
  const at = placeOf(fitted, 0.5, 0.5);
  await page.mouse.move(at.x, at.y);
  await page.mouse.wheel(0, 50);
  await page.locator('.stage').focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await expect.poll(() => percentage(page)).toBe(225);
  const zoomed = await shown(page);
  await page.mouse.wheel(-30, 50);
  await expect.poll(async () => (await shown(page)).y).toBeCloseTo(zoomed.y - 50, 0);
  expect((await shown(page)).x).toBeCloseTo(zoomed.x + 30, 0);
});

test('plus, minus and zero zoom, and so does the bar', async ({ page, request }) => {
  await ImagePage.open(page, (await upload(request)).shortID);
  const fitted = await shown(page);
  await page.locator('.stage').focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await expect.poll(() => percentage(page)).toBe(225);
  expect((await shown(page)).width).toBeCloseTo(fitted.width * 2.25, 0);
  await page.keyboard.press('-');
  await expect.poll(() => percentage(page)).toBe(150);
  await page.keyboard.press('0');
  await expect.poll(() => percentage(page)).toBe(100);
  expect(await shown(page)).toEqual(fitted);

  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await expect(bar(page)).toContainText('225 %');
  await page.getByRole('button', { name: 'Zoom out' }).click();
  await expect(bar(page)).toContainText('150 %');
  await page.getByRole('button', { name: 'Fit' }).click();
  await expect(bar(page)).toContainText('100 %');
  expect(await shown(page)).toEqual(fitted);
});

test('keys zoom only while the stage has the focus', async ({ page, request }) => {
  await ImagePage.open(page, (await upload(request)).shortID);
  const press = async () => {
    for (const key of ['+', '-', '+']) await page.keyboard.press(key);
  };
  await press();
  await page.getByRole('main').focus();
  await press();
  await page.getByRole('log').focus();
  await press();
  expect(await percentage(page)).toBe(100);
  // A press on the picture gives it the focus.
  const { x, y } = placeOf(await shown(page), 0.5, 0.5);
  await page.mouse.click(x, y);
  await page.keyboard.press('+');
  await expect.poll(() => percentage(page)).toBe(150);
});

test('what is written does not zoom', async ({ page, request }) => {
  const opened = await ImagePage.open(page, (await upload(request)).shortID);
  await opened.composer.pressSequentially('+10');
  await expect(opened.composer).toHaveValue('+10');
  expect(await percentage(page)).toBe(100);
});

test('at most eight device pixels are shown for each pixel', async ({ page, request }) => {
  await ImagePage.open(page, (await upload(request)).shortID);
  await page.locator('.stage').focus();
  for (let n = 0; n < 12; n++) await page.keyboard.press('+');
  await expect.poll(async () => Math.round((await shown(page)).width)).toBe(600 * 8);
  await expect(page.locator('.picture img')).toHaveCSS('image-rendering', 'pixelated');
});

test('a drag moves the picture within its bounds and taps nothing', async ({ page, request }) => {
  const sent = framesOf(page);
  const opened = await ImagePage.open(page, (await upload(request)).shortID);
  const fitted = await shown(page);
  const middle = placeOf(fitted, 0.5, 0.5);
  // Nothing to move: the picture is fitted.
  await drag(page, middle, { x: 90, y: 60 });
  expect(await shown(page)).toEqual(fitted);
  await page.locator('.stage').focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await expect.poll(() => percentage(page)).toBe(225);
  const zoomed = await shown(page);
  await drag(page, middle, { x: 80, y: -40 });
  const dragged = await shown(page);
  expect(dragged.x).toBeCloseTo(zoomed.x + 80, 0);
  expect(dragged.y).toBeCloseTo(zoomed.y - 40, 0);
  // Also where the pointer leaves the stage.
  for (const by of [{ x: 2_000, y: 2_000 }, { x: -2_000, y: -2_000 }]) {
    await drag(page, middle, by);
    expectBounded(await shown(page), await room(page));
  }
  await expectNoTapBefore(opened, sent);
});

test('arrows move a zoomed picture that was pressed', async ({ page, request }) => {
  await ImagePage.open(page, (await upload(request)).shortID);
  const middle = placeOf(await shown(page), 0.5, 0.5);
  await drag(page, middle, { x: 20, y: 0 });
  await page.locator('.stage').focus();
  await page.keyboard.press('+');
  await expect.poll(() => percentage(page)).toBe(150);
  const zoomed = await shown(page);
  await page.keyboard.press('ArrowRight');
  await expect.poll(async () => (await shown(page)).x).toBeLessThan(zoomed.x - 50);
  for (let n = 0; n < 20; n++) await page.keyboard.press('ArrowDown');
  expectBounded(await shown(page), await room(page));
});

test('a zoomed picture follows the crosshair of the keyboard', async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await page.getByRole('button', { name: 'Point at the picture' }).focus();
  for (let n = 0; n < 4; n++) await page.keyboard.press('+');
  await expect.poll(() => percentage(page)).toBe(506);
  for (let n = 0; n < 12; n++) await page.keyboard.press('ArrowRight');
  const crosshair = page.locator('.crosshair');
  await shown(page);
  await expect(crosshair).toBeInViewport({ ratio: 1 });
  expect((await crosshair.boundingBox())!.width).toBeCloseTo(33, 0);
  await page.keyboard.press('Enter');
  const [mine, theirs] = [await tapper.ripplePlace(), await watcher.ripplePlace()];
  expect(mine.x).toBeGreaterThan(0.55);
  expect(mine.x).toBeLessThan(0.7);
  expect(theirs.x).toBeCloseTo(mine.x, 3);
  expect(theirs.y).toBeCloseTo(mine.y, 3);
});

test('a tap on a zoomed picture is shown at its place to everyone', async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await wheelWithControl(page, placeOf(await shown(page), 0.7, 0.4), -9);
  await expect.poll(() => percentage(page)).toBeGreaterThan(500);
  const zoomed = await shown(page);
  const view = await room(page);
  for (const [across, down] of [[0.2, 0.3], [0.9, 0.8]]) {
    const at = { x: view.x + across * view.width, y: view.y + down * view.height };
    const fraction = fractionAt(zoomed, at.x, at.y);
    await page.mouse.click(at.x, at.y);
    for (const window of [tapper, watcher]) {
      const ripple = await window.ripplePlace();
      const { width, height } = await shown(window.page);
      expect(Math.abs(ripple.x - fraction.x) * width).toBeLessThan(1);
      expect(Math.abs(ripple.y - fraction.y) * height).toBeLessThan(1);
    }
    const size = (opened: ImagePage) =>
      opened.ripples.last().evaluate((ripple) => ripple.getBoundingClientRect().width);
    expect(await size(tapper)).toBeCloseTo(await size(watcher), 0);
    for (const window of [tapper, watcher]) await window.endRipples();
  }
});

test('a double tap zooms to its place and back, and taps twice', async ({ page, request }) => {
  const opened = await ImagePage.open(page, (await upload(request)).shortID);
  const fitted = await shown(page);
  const at = placeOf(fitted, 0.4, 0.5);
  await doubleClick(page, at);
  await expect(opened.ripples).toHaveCount(2);
  await expect.poll(() => percentage(page)).toBe(250);
  expectStill(fitted, await shown(page), at);
  await opened.endRipples();
  await doubleClick(page, { x: at.x + 40, y: at.y });
  await expect.poll(() => percentage(page)).toBe(100);
  await expect(opened.ripples).toHaveCount(2);
  expect(await shown(page)).toEqual(fitted);
});

test('without motion the picture is at its place at once', async ({ page, request }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await ImagePage.open(page, (await upload(request)).shortID);
  const duration = await page.evaluate(() => {
    document.querySelector<HTMLButtonElement>('[aria-label="Zoom in"]')!.click();
    return Math.max(0, ...document.getAnimations().map((it) => Number(it.effect!.getTiming().duration)));
  });
  expect(duration).toBeLessThan(1);
});

test.describe('with fingers', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });

  test('a pinch zooms around the fingers and taps nothing', async ({ page, request }) => {
    const sent = framesOf(page);
    const opened = await ImagePage.open(page, (await upload(request)).shortID);
    const fitted = await shown(page);
    const { x, y } = placeOf(fitted, 0.5, 0.5);
    const session = await page.context().newCDPSession(page);
    await touch(session, 'touchStart', [[x - 30, y]]);
    await touch(session, 'touchStart', [[x - 30, y], [x + 30, y]]);
    for (let by = 40; by <= 90; by += 10) await touch(session, 'touchMove', [[x - by, y], [x + by, y]]);
    await touch(session, 'touchEnd', []);
    await expect.poll(() => percentage(page)).toBe(300);
    const zoomed = await shown(page);
    expectStill(fitted, zoomed, { x, y });
    expect(await page.evaluate(() => visualViewport!.scale)).toBe(1);

    // One finger moves it. All at once, since a finger that rests draws.
    await Promise.all([
      touch(session, 'touchStart', [[x, y]]),
      ...[15, 40, 60].map((by) => touch(session, 'touchMove', [[x - by, y - by / 2]])),
      touch(session, 'touchEnd', []),
    ]);
    await expect.poll(async () => (await shown(page)).x).toBeCloseTo(zoomed.x - 60, 0);
    expect((await shown(page)).y).toBeCloseTo(zoomed.y - 30, 0);
    await expectNoTapBefore(opened, sent);
  });

  test('a finger taps, and twice quickly zooms', { tag: '@alone' }, async ({ page, request }) => {
    const sent = framesOf(page);
    const opened = await ImagePage.open(page, (await upload(request)).shortID);
    const { x, y } = placeOf(await shown(page), 0.5, 0.5);
    await page.touchscreen.tap(x, y);
    await page.touchscreen.tap(x, y);
    await expect.poll(() => percentage(page)).toBe(250);
    await expect.poll(() => sent.filter((type) => type === 'touch').length).toBe(2);
    await expect(opened.ripples).toHaveCount(2);
  });
});

test('a picture of 300 by 9,000 is fitted by width and scrolls', async ({ page, request }) => {
  const shared = await uploadPng(request, 300, 9_000);
  const begins = async () => {
    const [box, view] = [await shown(page), await room(page)];
    expect(box.width).toBeCloseTo(view.width, 0);
    expect(box.height).toBeCloseTo(view.width * 30, -1);
    expect(box.y).toBeCloseTo(view.y, 0);
    return { box, view };
  };
  for (const viewport of [{ width: 390, height: 844 }, { width: 1280, height: 800 }]) {
    await page.setViewportSize(viewport);
    await ImagePage.open(page, shared.shortID);
    const { box, view } = await begins();
    await page.mouse.move(view.x + 50, view.y + 50);
    await page.mouse.wheel(0, 400);
    await expect.poll(async () => (await shown(page)).y).toBeCloseTo(box.y - 400, 0);
    await page.mouse.wheel(0, 1_000_000);
    await expect.poll(async () => (await shown(page)).y).toBeCloseTo(view.y + view.height - box.height, 0);
    await page.mouse.wheel(0, -1_000_000);
    await expect.poll(async () => (await shown(page)).y).toBeCloseTo(box.y, 0);
  }
  await wheelWithControl(page, { x: 400, y: 400 }, 20);
  await expect.poll(async () => (await shown(page)).height).toBeCloseTo((await room(page)).height, 0);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('a tall picture scrolls, and there is no bar', async ({ page, request }) => {
    const shared = await uploadPng(request, 300, 9_000);
    await page.goto(`/u/${shared.shortID}`);
    await expect(page.getByRole('button', { name: 'Zoom in' })).toBeHidden();
    const picture = new ImagePage(page).picture;
    const before = (await picture.boundingBox())!;
    await page.mouse.move(before.x + 50, before.y + 50);
    await page.mouse.wheel(0, 300);
    await expect.poll(async () => (await picture.boundingBox())!.y).toBeCloseTo(before.y - 300, 0);
  });
});

for (const [name, width, height, factor] of [
  ['an icon', 16, 16, 4],
  ['a small picture', 128, 100, 4],
  ['a small picture that is wide', 128, 1, 4],
] as const) {
  test(`${name} of ${width} by ${height} is enlarged by a whole number`, async ({ page, request }) => {
    await ImagePage.open(page, (await uploadPng(request, width, height)).shortID);
    const box = await shown(page);
    expect([box.width, box.height]).toEqual([width * factor, height * factor]);
    await expect(page.locator('.picture img')).toHaveCSS('image-rendering', 'pixelated');
  });
}

test('a small picture is enlarged threefold where four do not fit, and can be zoomed', async ({ page, request }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await ImagePage.open(page, (await uploadPng(request, 128, 100)).shortID);
  expect((await shown(page)).width).toBe(384);
  await page.locator('.stage').focus();
  for (let n = 0; n < 5; n++) await page.keyboard.press('+');
  await expect.poll(async () => (await shown(page)).width).toBeCloseTo(128 * 8, 0);
});

test('a resized window keeps the picture within its bounds', async ({ page, request }) => {
  await ImagePage.open(page, (await upload(request)).shortID);
  const view = await room(page);
  await wheelWithControl(page, { x: view.x + view.width - 10, y: view.y + view.height - 10 }, -5);
  await expect.poll(() => percentage(page)).toBeGreaterThan(250);
  for (const viewport of [{ width: 390, height: 844 }, { width: 900, height: 500 }, { width: 1600, height: 1000 }]) {
    await page.setViewportSize(viewport);
    await expect.poll(() => page.evaluate(() => innerWidth)).toBe(viewport.width);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    expectBounded(await shown(page), await room(page));
  }
});

test('hydration moves nothing', async ({ page, request }) => {
  for (const shared of [await upload(request), await uploadPng(request, 300, 9_000), await uploadPng(request, 16, 16)]) {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/*.wasm', async (route) => (await held, route.continue()));
    await page.goto(`/u/${shared.shortID}`);
    const boxes = () =>
      page.evaluate(() =>
        ['.picture img', '.zoom-bar', '.hint', '.panel'].map((it) => {
          const { x, width, y, height } = document.querySelector(it)!.getBoundingClientRect();
          // The hint is as wide as its text, in a typeface that is loaded later and is as wide but for some pixels.
          return it === '.hint' ? [Math.round((x + width / 2) * 2), y, height] : [x, y, width, height];
        }),
      );
    await expect(page.locator('.picture img')).toHaveJSProperty('complete', true);
    const before = await boxes();
    release();
    await new ImagePage(page).live();
    expect(await boxes()).toEqual(before);
    await page.unroute('**/*.wasm');
  }
});
