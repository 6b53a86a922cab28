import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { upload } from './api';
import { ImagePage } from './pages';
import { shades, uploadPng } from './pictures';

const PHOTO = 'phone-rotated-gps.jpg';

/** The addresses of pictures that the page requests. */
function pictures(page: Page): string[] {
  const addresses: string[] = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.startsWith('/i/')) addresses.push(pathname + search);
  });
  return addresses;
}

/** The address of the picture that is shown; empty while one is loading. */
async function source(opened: ImagePage) {
  const address = await opened.picture.evaluate((img: HTMLImageElement) => img.currentSrc);
  return address.replace(/^https?:\/\/[^/]*/, '');
}

/** Waits until the server has made this smaller picture: a busy one sends the image itself meanwhile. */
const made = (request: APIRequestContext, shortID: string, width: number) =>
  expect
    .poll(async () => (await request.get(`/i/${shortID}?w=${width}`)).headers()['content-disposition'], { timeout: 30_000 })
    .toContain(`-${width}.`);

/** Holds back requests for the image itself, until what is returned is called. */
async function holdImage(page: Page, shortID: string) {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(`**/i/${shortID}`, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

const loaded = (opened: ImagePage) => expect(opened.picture).toHaveJSProperty('complete', true);

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 });

  test('the smallest picture that is sharp is loaded, and not the image', async ({ page, request }) => {
    const { shortID, content } = await upload(request, PHOTO);
    await made(request, shortID, 640);
    const requested = pictures(page);
    const opened = await ImagePage.open(page, shortID);
    await loaded(opened);
    expect(requested).toEqual([`/i/${shortID}?w=640`]);
    const box = (await opened.picture.boundingBox())!;
    expect(box.width).toBeCloseTo(390, 0);
    expect(box.width / box.height).toBeCloseTo(content.width / content.height, 2);
  });

  test('zooming in loads the image, and what is shown stays until it is there', async ({ page, request }) => {
    const { shortID } = await upload(request, PHOTO);
    await made(request, shortID, 640);
    const release = await holdImage(page, shortID);
    const requested = pictures(page);
    const opened = await ImagePage.open(page, shortID);
    await loaded(opened);
    await page.locator('.stage').focus();
    for (let n = 0; n < 7; n++) await page.keyboard.press('+');
    await expect.poll(() => requested).toContain(`/i/${shortID}`);
    // While the image is loading, its smaller picture is painted.
    const painted = await page.locator('.room').screenshot();
    expect(await shades(page, painted)).toBeGreaterThan(10);
    const before = await opened.picture.boundingBox();
    release();
    await expect.poll(() => source(opened)).toBe(`/i/${shortID}`);
    await loaded(opened);
    expect(await opened.picture.boundingBox()).toEqual(before);
    // Zooming out loads nothing.
    const count = requested.length;
    await page.keyboard.press('0');
    await page.waitForLoadState('networkidle');
    expect(requested).toHaveLength(count);
    expect(await source(opened)).toBe(`/i/${shortID}`);
  });

  test('the image is shown when the server is too busy to make a smaller picture', async ({ page, request }) => {
    const { shortID } = await upload(request, PHOTO);
    await page.route('**/i/*?w=640', (route) => route.fulfill({ status: 503, headers: { 'retry-after': '3' } }));
    const opened = await ImagePage.open(page, shortID);
    await expect.poll(() => source(opened)).toBe(`/i/${shortID}`);
    await loaded(opened);
    await expect(page.getByText('The picture could not be loaded.')).toBeHidden();
  });

  test('an image that cannot be loaded at all says so, and can be tried again', async ({ page, request, allowConsole }) => {
    allowConsole(/503/);
    const { shortID } = await upload(request, PHOTO);
    await page.route('**/i/**', (route) => route.fulfill({ status: 503 }));
    const opened = await ImagePage.open(page, shortID);
    await expect(page.getByText('The picture could not be loaded.')).toBeVisible();
    await page.unroute('**/i/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByText('The picture could not be loaded.')).toBeHidden();
    await expect(opened.picture).not.toHaveJSProperty('naturalWidth', 0);
  });
});

for (const [viewport, deviceScaleFactor] of [
  [{ width: 390, height: 844 }, 3],
  [{ width: 1280, height: 800 }, 2],
] as const) {
  test.describe(`${viewport.width} px, ${deviceScaleFactor} device pixels each`, () => {
    test.use({ viewport, deviceScaleFactor });

    test('a photo that is a PNG is loaded as a JPEG until one zooms in', async ({ page, request }) => {
      const { shortID } = await upload(request, 'coffee.png');
      await made(request, shortID, 640);
      const release = await holdImage(page, shortID);
      const requested = pictures(page);
      const opened = await ImagePage.open(page, shortID);
      await loaded(opened);
      expect(requested).toEqual([`/i/${shortID}?w=640`]);
      const before = await opened.picture.boundingBox();
      await page.locator('.stage').focus();
      await page.keyboard.press('+');
      await expect.poll(() => requested).toContain(`/i/${shortID}`);
      // Meanwhile the JPEG stays.
      expect(await shades(page, await page.locator('.room').screenshot())).toBeGreaterThan(10);
      release();
      await expect.poll(() => source(opened)).toBe(`/i/${shortID}`);
      await loaded(opened);
      await page.keyboard.press('-');
      await expect.poll(() => opened.picture.boundingBox()).toEqual(before);
      expect(await source(opened)).toBe(`/i/${shortID}`);
    });
  });
}

test('on a large screen a larger picture is loaded', async ({ page, request }) => {
  await page.setViewportSize({ width: 1600, height: 1000 });
  const { shortID } = await upload(request, PHOTO);
  await made(request, shortID, 1280);
  const requested = pictures(page);
  const opened = await ImagePage.open(page, shortID);
  await loaded(opened);
  expect(requested).toEqual([`/i/${shortID}?w=1280`]);
});

test('pictures that are not wide, and animations, are loaded as they are', async ({ page, request }) => {
  const shared = [
    await upload(request, '16-bit-grey.png'),
    await upload(request, 'animated.gif'),
    await uploadPng(request, 64, 64),
    await uploadPng(request, 640, 2_000),
  ];
  for (const { shortID } of shared) {
    const requested = pictures(page);
    const opened = await ImagePage.open(page, shortID);
    await loaded(opened);
    expect(await opened.picture.getAttribute('srcset')).toBeNull();
    await page.keyboard.press('+');
    expect(new Set(requested)).toEqual(new Set([`/i/${shortID}`]));
    page.removeAllListeners('request');
  }
});

test('a picture is as sharp as its screen after going from page to page', async ({ page, request }) => {
  const { shortID } = await upload(request, PHOTO);
  await made(request, shortID, 640);
  await page.setViewportSize({ width: 390, height: 844 });
  await ImagePage.open(page, shortID);
  await page.getByRole('link', { name: /Tonesa/ }).first().click();
  await expect(page).toHaveURL(/\/$/);
  await page.goBack();
  const opened = new ImagePage(page);
  await opened.live();
  await loaded(opened);
  expect(await source(opened)).toBe(`/i/${shortID}?w=640`);
});
