import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { post, upload } from './api';
import { ImagePage } from './pages';

const openButton = (page: Page) => page.getByRole('button', { name: 'Share', exact: true });
const link = (page: Page) => page.getByRole('textbox', { name: 'Link to this page' });
const code = (page: Page) => page.getByRole('img', { name: 'The link as a QR code' });

test('Share opens the link, its QR code and a button that copies it', async ({ page, request, context, baseURL }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const shared = await upload(request);
  await post(request, shared, 'Not empty');
  await ImagePage.open(page, shared.shortID);
  await expect(link(page)).toBeHidden();

  await openButton(page).click();
  const address = `${baseURL}/u/${shared.shortID}`;
  await expect(link(page)).toHaveValue(address);
  await expect.poll(() => code(page).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  await link(page).focus();
  expect(await page.evaluate(() => getSelection()!.toString())).toBe(address);
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);
  await expect(page.getByRole('button', { name: 'Share via…' })).toBeHidden();

  await page.keyboard.press('Escape');
  await expect(link(page)).toBeHidden();
  await openButton(page).click();
  await page.mouse.click(200, 300);
  await expect(link(page)).toBeHidden();
});

test('a second press of Copy is confirmed for as long as the first, and read again', async ({ page, request, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.clock.install();
  const shared = await upload(request);
  await post(request, shared, 'Not empty');
  await ImagePage.open(page, shared.shortID);
  await openButton(page).click();
  // From here on time passes only as the test says.
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
  const copied = page.getByRole('button', { name: 'Copied' });
  await page.locator('#share .copy-link').click();
  await expect(copied).toBeVisible();
  const first = await copied.locator('span').elementHandle();
  await page.clock.fastForward(1_500);
  await copied.click();
  await expect.poll(() => first!.evaluate((it) => it.isConnected)).toBe(false);
  await page.clock.fastForward(1_500);
  await expect(copied).toBeVisible();
  await page.clock.fastForward(2_000);
  await expect(copied).toHaveCount(0);
});

test('the system shares the link where it can, and a closed sheet is no error', async ({ page, request, baseURL }) => {
  await page.addInitScript(() => {
    const shared: ShareData[] = ((window as unknown as { shared_: ShareData[] }).shared_ = []);
    navigator.share = async (data) => {
      shared.push(data!);
      throw new DOMException('Closed', 'AbortError');
    };
  });
  const shared = await upload(request);
  await ImagePage.open(page, shared.shortID);
  await openButton(page).click();
  await page.locator('#share').getByRole('button', { name: 'Share via…' }).click();
  const data = await page.evaluate(() => (window as unknown as { shared_: ShareData[] }).shared_);
  expect(data).toEqual([{ url: `${baseURL}/u/${shared.shortID}` }]);
});

test('an empty conversation begins with sharing, until there is a message', async ({ page, request, baseURL }) => {
  const shared = await upload(request);
  const opened = await ImagePage.open(page, shared.shortID);
  const log = page.getByRole('log');
  const inLog = log.getByRole('textbox', { name: 'Link to this page' });
  await expect(inLog).toHaveValue(`${baseURL}/u/${shared.shortID}`);
  await expect(log.getByRole('button', { name: 'Copy', exact: true })).toBeVisible();
  const image = log.getByRole('img', { name: 'The link as a QR code' });
  await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);

  // The box says the same, so that it is there once.
  await openButton(page).click();
  await expect(page.locator('#share').getByRole('textbox', { name: 'Link to this page' })).toBeVisible();
  await expect(inLog).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(inLog).toBeVisible();
  await opened.say('First');
  await expect(inLog).toBeHidden();
});

test.describe('on phones', () => {
  test.use({ viewport: { width: 360, height: 640 } });

  test('everything to share fits', async ({ page, request }) => {
    const shared = await upload(request);
    await post(request, shared, 'Not empty');
    await ImagePage.open(page, shared.shortID);
    await openButton(page).click();
    await expect(link(page)).toBeInViewport({ ratio: 1 });
    await expect(code(page)).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole('button', { name: 'Copy', exact: true })).toBeInViewport({ ratio: 1 });
  });
});
