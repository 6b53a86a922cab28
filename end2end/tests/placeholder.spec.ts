import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { upload } from './api';
import { ImagePage } from './pages';
import { shades } from './pictures';

/** Uploads a picture, and waits until its page has a placeholder. */
async function uploadPicture(request: APIRequestContext, name: string): Promise<string> {
  const { shortID } = await upload(request, name);
  await expect.poll(async () => (await request.get(`/u/${shortID}`)).text()).toContain('placeholder:url');
  return shortID;
}

/** Holds requests for pictures until the returned function is called. */
async function holdPictures(page: Page): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/i/**', async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

for (const name of ['coffee.png', 'progressive.jpg']) {
  test(`a blurred picture stands in the place of ${name} until it is there`, async ({ page, request }) => {
    const shortID = await uploadPicture(request, name);
    const release = await holdPictures(page);
    await page.addInitScript(() => {
      const shifts = (globalThis as { shifts?: number[] }).shifts ??= [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(`/u/${shortID}`, { waitUntil: 'domcontentloaded' });
    const opened = new ImagePage(page);
    const { picture } = opened;
    await expect(picture).toHaveJSProperty('complete', false);
    const before = (await picture.boundingBox())!;
    // Without the hint, which is at its bottom.
    const upperHalf = { ...before, height: before.height / 2 };
    const painted = async () => shades(page, await page.screenshot({ clip: upperHalf }));
    expect(await painted()).toBeGreaterThan(30);
    // Nor does it go when the app takes over.
    await opened.live();
    await expect(picture).toHaveJSProperty('complete', false);
    expect(await painted()).toBeGreaterThan(30);
    release();
    await expect(picture).toHaveJSProperty('complete', true);
    await expect(picture).not.toHaveJSProperty('naturalWidth', 0);
    expect(await picture.boundingBox()).toEqual(before);
    const shifts = await page.evaluate(() => (globalThis as { shifts?: number[] }).shifts!);
    expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.01);
  });
}
