import { truncateSync, writeFileSync } from 'node:fs';
import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, imagePayload } from './api';
import { dropOrPaste } from './files';
import { ImagePage } from './pages';
import { screenshot } from './screenshots';

const field = (page: Page) => page.locator('input[type=file][name=file]');

/** Opens the home page and waits for hydration. */
async function home(page: Page) {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
}

/** Expects the page of an image of this width, connected. */
async function expectImagePage(page: Page, width: number) {
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
  const opened = new ImagePage(page);
  await expect(opened.picture).toHaveJSProperty('naturalWidth', width);
  await opened.live();
}

test('an image chosen in the picker gets a page, from which one can go back and share another', async ({ page }) => {
  await home(page);
  await field(page).setInputFiles(image('coffee.png'));
  await expectImagePage(page, 600);

  await page.goBack();
  await expect(page.getByText('Drop a picture anywhere')).toBeVisible();
  await expect(page.getByRole('progressbar', { name: 'Upload' })).toBeHidden();
  await field(page).setInputFiles(image('grey.jpg'));
  await expectImagePage(page, 451);
  await page.goBack();
  await page.goForward();
  await expectImagePage(page, 451);
});

for (const way of ['Choose a picture', 'Take a photo']) {
  test(`a file chosen by "${way}" before hydration is uploaded`, async ({ page }) => {
    let load = () => {};
    const held = new Promise<void>((resolve) => (load = resolve));
    await page.route('**/*.wasm', async (route) => (await held, route.continue()));
    await page.goto('/');
    const chosen = page.locator('label', { hasText: way }).locator('input');
    await chosen.setInputFiles(image('coffee.png'));
    load();
    await expectImagePage(page, 600);
  });
}

test('an image dropped anywhere gets a page', async ({ page }) => {
  await home(page);
  await dropOrPaste(page, 'drop', [imagePayload('coffee.png')]);
  await expectImagePage(page, 600);
});

test('of several dropped files the first image is uploaded, and the page says so', async ({ page }) => {
  await home(page);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/uploads', async (route) => (await held, route.continue()));
  const note = { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') };
  await dropOrPaste(page, 'drop', [note, imagePayload('coffee.png'), imagePayload('grey.jpg')]);
  await expect(page.getByText('One picture at a time: using coffee.png.')).toBeVisible();
  release();
  await expectImagePage(page, 600);
});

for (const [name, mimeType] of [
  ['IMG_0042', ''],
  ['coffee.txt', 'text/plain'],
]) {
  test(`an image named ${name} is taken for what it is`, async ({ page }) => {
    await home(page);
    await dropOrPaste(page, 'drop', [{ name, mimeType, buffer: imagePayload('coffee.png').buffer }]);
    await expectImagePage(page, 600);
  });
}

test('the address of a picture is not enough, and the page says so', async ({ page }) => {
  await home(page);
  const transfer = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.setData('text/uri-list', 'https://example.org/picture.png');
    return transfer;
  });
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  await expect(page.getByRole('alert')).toContainText('only the address of a picture');
  await expect(page).toHaveURL(/\/$/);
});

test('the cover of a drag that ended elsewhere leaves with the next movement of the pointer', async ({ page }) => {
  await home(page);
  const transfer = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['x'], 'x.png'));
    return transfer;
  });
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
  const cover = page.locator('.drop-cover.shown');
  await expect(cover).toBeVisible();
  await page.mouse.move(100, 100);
  await expect(cover).toHaveCount(0);
});

test('a pasted image gets a page', async ({ page }) => {
  await home(page);
  await dropOrPaste(page, 'paste', [imagePayload('transparent.webp')]);
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
});

test('a photo taken on its side is shown upright', async ({ page }) => {
  await home(page);
  await field(page).setInputFiles(image('phone-rotated-gps.jpg'));
  await expect(page).toHaveURL(/\/u\//);
  const picture = new ImagePage(page).picture;
  await expect(picture).toHaveJSProperty('complete', true);
  const shape = await picture.evaluate((img: HTMLImageElement) => ({
    natural: img.naturalWidth / img.naturalHeight,
    declared: Number(img.getAttribute('width')) / Number(img.getAttribute('height')),
    shown: img.getBoundingClientRect().width / img.getBoundingClientRect().height,
  }));
  // Its rows are stored as columns: 2688 by 4032.
  expect(shape.natural).toBeCloseTo(4032 / 2688, 2);
  expect(shape.declared).toBeCloseTo(shape.natural, 2);
  expect(shape.shown).toBeCloseTo(shape.natural, 2);
});

test('a slow upload shows the picture and its progress, and can be cancelled and retried', async ({ page }) => {
  await home(page);
  const session = await page.context().newCDPSession(page);
  const network = { offline: false, latency: 0, downloadThroughput: -1 };
  await session.send('Network.emulateNetworkConditions', { ...network, uploadThroughput: 200_000 });
  await field(page).setInputFiles(image('24-megapixels.jpg'));
  const preview = page.getByRole('img', { name: 'The chosen picture' });
  await expect(preview).toHaveJSProperty('naturalWidth', 6000);
  const progress = page.getByRole('progressbar', { name: 'Upload' });
  await expect.poll(() => progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(2);
  expect(await progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeLessThan(100);

  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(progress).toBeHidden();
  await expect(page.getByText('Drop a picture anywhere')).toBeVisible();
  await session.send('Network.emulateNetworkConditions', { ...network, uploadThroughput: -1 });
  await field(page).setInputFiles(image('24-megapixels.jpg'));
  await expectImagePage(page, 6000);
});

test('a file that the browser cannot show has no preview, and the next one has', async ({ page }) => {
  await home(page);
  // The first is not answered.
  await page.route('**/api/uploads', () => {});
  const preview = page.getByRole('img', { name: 'The chosen picture' });
  const progress = page.getByRole('progressbar', { name: 'Upload' });
  await field(page).setInputFiles({ name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') });
  await expect(page.getByText('notes.pdf')).toBeVisible();
  await expect(page.locator('.sending-picture img')).toBeHidden();
  await expect(progress).toBeInViewport({ ratio: 1 });
  await screenshot(page, 'no-preview');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await field(page).setInputFiles(image('coffee.png'));
  await expect(preview).toBeVisible();
  await expect(preview).toHaveJSProperty('naturalWidth', 600);
});

test('an upload that fails on the way can be tried again', async ({ page, allowConsole }) => {
  allowConsole(/net::ERR_/);
  await home(page);
  let failures = 1;
  await page.route('**/api/uploads', (route) => (failures-- > 0 ? route.abort('connectionreset') : route.continue()));
  await field(page).setInputFiles(image('coffee.png'));
  await expect(page.getByRole('alert')).toContainText(/\w/);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectImagePage(page, 600);
});

for (const [name, mimeType] of [
  ['notes.txt', 'text/plain'],
  ['notes.png', 'image/png'],
]) {
  test(`a text file named ${name} is refused by the server with what works`, async ({ page, allowConsole }) => {
    allowConsole(/415/);
    await home(page);
    await field(page).setInputFiles({ name, mimeType, buffer: Buffer.from('hello') });
    await expect(page.getByRole('alert')).toContainText('PNG, JPEG, GIF and WebP');
    await expect(page).toHaveURL(/\/$/);
  });
}

test('a file over the limit is refused before it is sent', async ({ page }) => {
  await home(page);
  let sent = false;
  await page.route('**/api/uploads', (route) => ((sent = true), route.continue()));
  const large = test.info().outputPath('large.png');
  writeFileSync(large, '');
  truncateSync(large, 20 * 1024 * 1024 + 1);
  await field(page).setInputFiles(large);
  await expect(page.getByRole('alert')).toContainText('At most 20 MB');
  expect(sent).toBe(false);
});
