import { expect, type CDPSession, type Locator, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { upload } from './api';
import { drag } from './mouse';
import { ImagePage } from './pages';

test.use({ viewport: { width: 1280, height: 800 } });

const hue = (element: Locator) => element.evaluate((it) => getComputedStyle(it).getPropertyValue('--hue'));

/** The author's colour, as the composer shows it. */
const ownHue = (page: Page) => hue(page.locator('.alias-open .avatar'));

const dots = (opened: ImagePage) => opened.page.locator('.dot');

const segments = (opened: ImagePage) => opened.page.locator('.segment');

interface Touch {
  x: number;
  y: number;
  stroke?: string;
  name?: string;
}

/** The touches that the page sends. */
function touchesOf(page: Page): Touch[] {
  const sent: Touch[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const { type, data } = JSON.parse(String(payload));
      if (type === 'touch') sent.push(data);
    }),
  );
  return sent;
}

/** The place of the window that shows this fraction of the picture. */
async function placeOf(opened: ImagePage, x: number, y: number) {
  const box = (await opened.picture.boundingBox())!;
  return { x: box.x + x * box.width, y: box.y + y * box.height };
}

/** Holds the mouse at a fraction of the picture until it draws, and moves it to another one. */
async function holdAndDrag(opened: ImagePage, from: [number, number], to: [number, number]) {
  const [start, end] = [await placeOf(opened, ...from), await placeOf(opened, ...to)];
  await opened.page.mouse.move(start.x, start.y);
  await opened.page.mouse.down();
  await expect(opened.page.locator('.pen')).toBeVisible();
  await opened.page.mouse.move(end.x, end.y, { steps: 20 });
}

async function zoomInto(opened: ImagePage, x: number, y: number) {
  const at = await placeOf(opened, x, y);
  await opened.page.mouse.move(at.x, at.y);
  await opened.page.keyboard.down('Control');
  for (let n = 0; n < 8; n++) await opened.page.mouse.wheel(0, -100);
  await opened.page.keyboard.up('Control');
}

test('a ripple has the colour and the name of who touched, and leaves a dot', async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await tapper.rename('Kim');
  await tapper.tap(0.3, 0.4);
  await expect(watcher.ripples).toHaveText('Kim');
  await expect(tapper.ripples).toHaveText('');
  const colour = await ownHue(page);
  expect(await hue(watcher.ripples)).toBe(colour);
  expect(await hue(tapper.ripples)).toBe(colour);

  for (const window of [watcher, tapper]) {
    await expect(window.ripples).toHaveCount(0);
    await expect(dots(window)).toHaveCount(1);
    expect(await hue(dots(window))).toBe(colour);
    await expect(dots(window)).toHaveText('');
  }
  const seconds = await dots(watcher).evaluate((dot) => {
    const animations = dot.getAnimations();
    for (const animation of animations) animation.finish();
    return Math.max(...animations.map(({ effect }) => Number(effect!.getTiming().duration))) / 1_000;
  });
  expect(seconds).toBe(60);
  await expect(dots(watcher)).toHaveCount(0);
});

test('people without an alias touch without a name', async ({ page, another, request }) => {
  const shared = await upload(request);
  const sent = touchesOf(page);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await tapper.rename('Anonymous');
  await tapper.tap(0.3, 0.4);
  await expect(watcher.ripples).toHaveCount(1);
  await expect(watcher.ripples).toHaveText('');
  expect(sent[0].name).toBeUndefined();
  expect(await hue(watcher.ripples)).toBe(await ownHue(page));
});

test('a ripple out of view is hinted at by a button at the edge that leads there', async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await tapper.rename('Kim');
  await tapper.tap(0.9, 0.5);
  await expect(watcher.ripples).toHaveCount(1);
  const hint = watcher.page.getByRole('button', { name: 'Kim points here' });
  await expect(hint).toHaveCount(0);

  await zoomInto(watcher, 0.1, 0.1);
  await tapper.tap(0.9, 0.5);
  await expect(hint).toHaveText('Kim points here →');
  expect(await hue(hint)).toBe(await ownHue(page));
  const [button, room] = [(await hint.boundingBox())!, (await watcher.page.locator('.room').boundingBox())!];
  expect(button.x + button.width).toBeCloseTo(room.x + room.width, 0);
  await expect(watcher.ripples.last()).not.toBeInViewport();
  await hint.click();
  await expect(hint).toHaveCount(0);
  await expect(watcher.page.locator('.ripple, .dot').last()).toBeInViewport();
});

test('touches while offline are shown as not sent', async ({ page, request }) => {
  const sent = touchesOf(page);
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  await page.context().setOffline(true);
  await expect(tapper.status).toHaveText('Offline');
  await tapper.tap(0.3, 0.3);
  await expect(tapper.ripples).toHaveText('not sent');
  expect(await tapper.ripples.evaluate((it) => getComputedStyle(it, '::before').borderStyle)).toBe('dashed');
  expect(await hue(tapper.ripples)).not.toBe(await ownHue(page));
  await expect(tapper.ripples).toHaveCount(0);
  await expect(dots(tapper)).toHaveCount(0);
  await page.context().setOffline(false);
  await tapper.live();
  await tapper.tap(0.4, 0.4);
  await expect(tapper.ripples).toHaveText('');
  expect(sent.length).toBe(1);
});

test('a screen reader hears where others point, but not too often', { tag: '@alone' }, async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await tapper.rename('Kim');
  const spoken = watcher.page.locator('.stage [aria-live=polite]');
  await expect(spoken).toHaveText('');
  await tapper.tap(0.1, 0.1);
  await expect(spoken).toHaveText('Kim points at the upper left');
  await tapper.tap(0.9, 0.9);
  await expect(watcher.ripples).toHaveCount(2);
  await expect(spoken).toHaveText('Kim points at the upper left');
  await expect(spoken).toHaveText('', { timeout: 6_000 });
  await tapper.tap(0.9, 0.9);
  await expect(spoken).toHaveText('Kim points at the lower right');
  await expect(tapper.page.locator('.stage [aria-live=polite]')).toHaveText('');
});

test('hold and drag draws a line that the others see and that fades', async ({ page, another, request }) => {
  const sent = touchesOf(page);
  const shared = await upload(request);
  const drawer = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await drawer.rename('Kim');
  await Promise.all([
    holdAndDrag(drawer, [0.2, 0.3], [0.6, 0.7]),
    // The ripple where it begins says who draws. It is there for three seconds.
    expect(watcher.ripples).toHaveText('Kim'),
  ]);
  for (const window of [drawer, watcher]) {
    await expect(segments(window)).not.toHaveCount(0);
    expect(await hue(segments(window).first())).toBe(await ownHue(page));
  }
  await page.mouse.up();
  await expect(page.locator('.pen')).toBeHidden();
  await expect.poll(() => sent.at(-1)!.x).toBeCloseTo(0.6, 2);
  expect(sent.at(-1)!.y).toBeCloseTo(0.7, 2);
  expect(sent[0].x).toBeCloseTo(0.2, 2);
  expect(new Set(sent.map(({ stroke }) => stroke))).toEqual(new Set(['1']));
  for (const window of [drawer, watcher]) await expect(segments(window)).toHaveCount(0);
  await expect(page.getByText('where you tapped')).toBeHidden();
});

test('a line stays within the limit of touches', { tag: '@alone' }, async ({ page, request }) => {
  const refusals: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => String(payload).includes('refused') && refusals.push(String(payload))),
  );
  const sent = touchesOf(page);
  const shared = await upload(request);
  const drawer = await ImagePage.open(page, shared.shortID);
  await holdAndDrag(drawer, [0.2, 0.3], [0.3, 0.3]);
  const end = await placeOf(drawer, 0.9, 0.6);
  await page.mouse.move(end.x, end.y, { steps: 150 });
  await page.mouse.up();
  await expect.poll(() => sent.at(-1)!.x).toBeCloseTo(0.9, 2);
  await drawer.tap(0.5, 0.5);
  await expect(drawer.ripples.last()).toBeAttached();
  expect(refusals).toEqual([]);
});

test('on a zoomed picture hold and drag draws, and a drag moves the picture', async ({ page, request }) => {
  const sent = touchesOf(page);
  const shared = await upload(request);
  const drawer = await ImagePage.open(page, shared.shortID);
  await zoomInto(drawer, 0.5, 0.5);
  const box = async () => (await drawer.picture.boundingBox())!;
  const before = await box();
  await holdAndDrag(drawer, [0.48, 0.5], [0.52, 0.52]);
  await page.mouse.up();
  await expect(segments(drawer)).not.toHaveCount(0);
  expect(await box()).toEqual(before);
  expect(sent.length).toBeGreaterThan(1);
  const count = sent.length;

  await drag(page, await placeOf(drawer, 0.5, 0.5), { x: 60, y: 30 });
  await expect.poll(async () => (await box()).x - before.x).toBeCloseTo(60, 0);
  expect(sent.length).toBe(count);
  await expect(segments(drawer)).toHaveCount(0);
});

test.describe('with fingers', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });

  const touch = (session: CDPSession, type: 'touchStart' | 'touchMove' | 'touchEnd', points: number[][]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });

  test('a finger that is held draws and begins no message, and a second one ends the line', async ({ page, request }) => {
    const sent = touchesOf(page);
    const shared = await upload(request);
    const drawer = await ImagePage.open(page, shared.shortID);
    const { x, y } = await placeOf(drawer, 0.3, 0.5);
    const session = await page.context().newCDPSession(page);
    await touch(session, 'touchStart', [[x, y]]);
    await expect(page.locator('.pen')).toBeVisible();
    for (let by = 10; by <= 80; by += 10) await touch(session, 'touchMove', [[x + by, y]]);
    await touch(session, 'touchEnd', []);
    await expect(page.locator('.pen')).toBeHidden();
    await expect(segments(drawer)).not.toHaveCount(0);
    await expect(drawer.composer).not.toBeFocused();
    await expect(page.getByText('where you tapped')).toBeHidden();
    await expect.poll(() => sent.length).toBeGreaterThan(1);

    await touch(session, 'touchStart', [[x, y]]);
    await expect(page.locator('.pen')).toBeVisible();
    await touch(session, 'touchStart', [[x, y], [x + 60, y]]);
    await expect(page.locator('.pen')).toBeHidden();
    await touch(session, 'touchMove', [[x, y], [x + 90, y]]);
    await touch(session, 'touchEnd', []);
    await expect(drawer.composer).not.toBeFocused();
    expect(new Set(sent.map(({ stroke }) => stroke))).toEqual(new Set(['1']));
  });
});
