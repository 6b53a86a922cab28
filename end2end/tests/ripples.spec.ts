import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { upload } from './api';
import { ImagePage } from './pages';

const places = [
  { x: 0.5, y: 0.5 },
  { x: 0.1, y: 0.9 },
  { x: 0.87, y: 0.23 },
];

test('a tap is shown at the same fraction in windows of any size', async ({ page, another, request }) => {
  const shared = await upload(request);
  await page.setViewportSize({ width: 1400, height: 900 });
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await watcher.page.setViewportSize({ width: 390, height: 780 });
  for (const at of places) {
    await tapper.tap(at.x, at.y);
    for (const window of [tapper, watcher]) {
      const shown = await window.ripplePlace();
      expect(Math.abs(shown.x - at.x)).toBeLessThan(0.01);
      expect(Math.abs(shown.y - at.y)).toBeLessThan(0.01);
      await window.endRipples();
    }
  }
});

test("one's own ripple does not wait for the network, and fades", async ({ page, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  await page.context().setOffline(true);
  await expect(tapper.status).toHaveText('Offline');
  await tapper.tap(0.3, 0.3);
  await expect(tapper.ripples).toHaveCount(1);
  await expect(tapper.ripples).toHaveCount(0);
});

test('quick taps stay within the server\'s limit', { tag: '@alone' }, async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  const refusals: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => String(payload).includes('refused') && refusals.push(String(payload))),
  );
  await page.reload();
  await tapper.live();
  await touchMany(page, 60);
  await expect.poll(() => watcher.ripples.count()).toBeGreaterThan(0);
  await expect(tapper.ripples).toHaveCount(0);
  expect(refusals).toEqual([]);
});

test('a wall clock that stands still does not stop touches', async ({ page, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  await page.evaluate(() => {
    const now = Date.now();
    Date.now = () => now;
  });
  await touchMany(page, 20);
  await expect(tapper.ripples).toHaveCount(20);
  await expect(tapper.ripples).toHaveCount(0);
  await tapper.tap(0.3, 0.3);
  await expect(tapper.ripples).toHaveCount(1);
});

test('a tap by the keyboard is shown like one by the pointer', async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  await page.getByRole('button', { name: 'Point at the picture' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowUp');
  await page.keyboard.press('Enter');
  for (const window of [tapper, watcher]) {
    const shown = await window.ripplePlace();
    expect(Math.abs(shown.x - 0.6)).toBeLessThan(0.01);
    expect(Math.abs(shown.y - 0.49)).toBeLessThan(0.01);
  }
});

test('with reduced motion a ripple is still', async ({ page, request }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  await tapper.tap(0.5, 0.5);
  await tapper.ripples.first().waitFor({ state: 'attached' });
  const animated = await tapper.ripples.first().evaluate((ripple) =>
    document
      .getAnimations()
      .filter(({ effect }) => (effect as KeyframeEffect).target === ripple)
      .flatMap(({ effect }) => (effect as KeyframeEffect).getKeyframes().flatMap(Object.keys)),
  );
  expect(animated).toContain('visibility');
  for (const property of ['top', 'inset', 'width', 'scale', 'transform']) expect(animated).not.toContain(property);
  await expect(tapper.ripples).toHaveCount(0);
});

/** Touches the picture in this many places at once. */
async function touchMany(page: Page, count: number) {
  await page.evaluate((count) => {
    const picture = document.querySelector<HTMLElement>('.picture')!;
    const { left, top, width, height } = picture.getBoundingClientRect();
    for (let n = 0; n < count; n++) {
      picture.dispatchEvent(
        new MouseEvent('click', { bubbles: true, clientX: left + (width * n) / count, clientY: top + height / 2 }),
      );
    }
  }, count);
}
