// What each engine does in its own way: files, pointers, scrolling and layout. The rest is tested in Chromium.
import { join } from 'node:path';
import { Key } from 'selenium-webdriver';
import { messages, post, upload } from '../tests/api';
import { expect, images, test, type Window } from './fixtures';

type Size = [width: number, height: number];

/** Sizes of the window with layouts of their own: wide, a tablet or phone held upright, and held sideways. */
const wide: Size = [1280, 800];
const upright: Size = [520, 900];
const sideways: Size = [700, 470];

const composer = 'textarea';

/** The places of the page's parts. */
async function layout(window: Window): Promise<string> {
  const parts = ['.stage', '.fitted', '.panel', '.log', '.composer'];
  const boxes = await Promise.all(parts.map((part) => window.box(part)));
  return boxes.map((box, n) => `${parts[n]} ${Object.values(box!).map(Math.round).join(' ')}`).join('\n');
}

test('an image chosen in the picker gets a page', async ({ window }) => {
  await window.openHome();
  await window.type('input[type=file][name=file]', join(images, 'coffee.png'));
  await expect.poll(() => window.driver.getCurrentUrl()).toMatch(/\/u\/[A-Za-z0-9]{8}$/);
  await window.live();
  await expect.poll(() => window.evaluate('return document.querySelector(".picture img").naturalWidth')).toBe(600);
});

test('a message is sent, and one from elsewhere is shown', async ({ window, request }) => {
  const shared = await upload(request);
  await window.openImage(shared.shortID);
  await window.type(composer, 'Look at the rim', Key.ENTER);
  await expect.poll(async () => (await messages(request, shared)).map(({ content }) => content)).toEqual(['Look at the rim']);
  await post(request, shared, 'And the foam');
  await expect.poll(() => window.text('.message:last-of-type .bubble')).toBe('And the foam');
  expect(await window.count('.bubble')).toBe(2);
});

test('a tap draws a ripple at its place, which the next message gets', async ({ window, request }) => {
  const shared = await upload(request);
  await window.openImage(shared.shortID);
  await window.tap(0.3, 0.4);
  await expect.poll(() => window.count('.ripple')).toBe(1);
  const ripple = await window.fraction('.ripple', 'middle');
  expect(ripple.x).toBeCloseTo(0.3, 2);
  expect(ripple.y).toBeCloseTo(0.4, 2);
  await window.type(composer, 'Here', Key.ENTER);
  await expect.poll(() => window.count('#pin1')).toBe(1);
  const pin = await window.fraction('#pin1', 'tip');
  expect(pin.x).toBeCloseTo(0.3, 2);
  expect(pin.y).toBeCloseTo(0.4, 2);
  const [stored] = await messages(request, shared);
  expect(stored!.at!.x).toBeCloseTo(0.3, 2);
});

test('a zoomed picture keeps its pins in place, and fits again', async ({ window, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'Here', 'Mira', { x: 0.45, y: 0.55 });
  await window.openImage(shared.shortID);
  const fitted = (await window.box('.picture img'))!;
  for (const factor of [1.5, 2.25]) {
    await window.click('.zoom-bar [aria-label="Zoom in"]');
    await expect.poll(async () => (await window.box('.picture img'))!.width / fitted.width).toBeCloseTo(factor, 2);
  }
  await expect.poll(async () => (await window.fraction('#pin1', 'tip')).x).toBeCloseTo(0.45, 2);
  expect((await window.fraction('#pin1', 'tip')).y).toBeCloseTo(0.55, 2);
  await window.driver.actions().sendKeys('0').perform();
  await expect.poll(() => window.box('.picture img')).toEqual(fitted);
});

test('a reader who has scrolled up stays there when messages arrive', async ({ window, request }) => {
  const shared = await upload(request);
  for (let n = 0; n < 40; n++) await post(request, shared, `message ${n}`);
  await window.openImage(shared.shortID);
  await window.evaluate('document.querySelector(".log").scrollTop = -400');
  const read = () => window.evaluate<number>('return document.querySelectorAll(".bubble")[15].getBoundingClientRect().top');
  await expect.poll(() => window.evaluate('return document.querySelector(".log").scrollTop')).toBe(-400);
  const before = await read();
  for (const count of [41, 42, 43]) {
    await post(request, shared, `one more\nwith two lines`);
    await expect.poll(() => window.count('.bubble')).toBe(count);
    // Rounded with each message, which are 70 pixels high.
    await expect.poll(async () => Math.abs((await read()) - before)).toBeLessThan(4);
  }
});

test('a window that is resized or turned has the layout of its size', async ({ window, request }) => {
  await window.openImage((await upload(request)).shortID);
  const expected = new Map<Size, string>();
  for (const size of [wide, upright, sideways]) {
    await window.resize(...size);
    await window.driver.navigate().refresh();
    await window.live();
    expected.set(size, await layout(window));
  }
  expect(new Set(expected.values()).size).toBe(3);
  for (const size of [upright, wide, sideways, upright, sideways, wide, upright]) {
    await window.resize(...size);
    await expect.poll(() => layout(window), `at ${size.join(' by ')}`).toBe(expected.get(size));
  }
});
