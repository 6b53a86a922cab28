import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, upload } from './api';
import { ImagePage } from './pages';

test.use({ viewport: { width: 1280, height: 800 }, timezoneId: 'Asia/Tokyo' });

const day = 24 * 60 * 60 * 1_000;
const keep = (page: Page) => page.getByRole('combobox', { name: 'Keep it' });
const until = (page: Page) => page.locator('.header > .until');

interface Expiring {
  createdAt: string;
  expiresAt?: string;
}

async function read(request: APIRequestContext, page: Page): Promise<Expiring> {
  const answer = await request.get(`/api/uploads/${page.url().split('/').pop()}`);
  return answer.json();
}

function lifetime({ createdAt, expiresAt }: Expiring) {
  return expiresAt && Date.parse(expiresAt) - Date.parse(createdAt);
}

test('a picture is kept for as long as was chosen, and its page says until when', async ({ page, request }) => {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await expect(keep(page).getByRole('option')).toHaveText(['for good', 'for a day', 'for a week', 'for a month']);
  await keep(page).selectOption('for a week');
  await page.locator('input[type=file][name=file]').setInputFiles(image('coffee.png'));
  await expect(page).toHaveURL(/\/u\//);
  await new ImagePage(page).live();
  const stored = await read(request, page);
  expect(lifetime(stored)).toBe(7 * day);

  // In the reader's zone.
  const format = new Intl.DateTimeFormat('en-US', { day: 'numeric', month: 'short', hour: 'numeric', minute: 'numeric', timeZone: 'Asia/Tokyo' });
  const text = `Until ${format.format(new Date(stored.expiresAt!))}`;
  await expect(until(page)).toHaveText(text);
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await expect(page.locator('#share').getByText(text)).toBeVisible();
  await page.reload();
  await expect(until(page)).toHaveText(text);
});

test('without a choice it is kept for good', async ({ page, request }) => {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await page.locator('input[type=file][name=file]').setInputFiles(image('coffee.png'));
  await expect(page).toHaveURL(/\/u\//);
  await new ImagePage(page).live();
  expect(await read(request, page)).not.toHaveProperty('expiresAt');
  await expect(page.getByText(/^Until/)).toHaveCount(0);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('the form has the choice too', async ({ page, request }) => {
    for (const [choice, expected] of [['for a day', day], ['for good', undefined]] as const) {
      await page.goto('/');
      await page.locator('input[type=file][name=file]').setInputFiles(image('coffee.png'));
      await keep(page).selectOption(choice);
      await page.getByRole('button', { name: 'Upload' }).click();
      await expect(page).toHaveURL(/\/u\//);
      expect(lifetime(await read(request, page))).toBe(expected);
      await expect(until(page)).toHaveText(expected ? [/^Until \d+ \w{3}, \d\d:\d\d UTC$/] : []);
    }
  });
});

test('times beyond the server\'s longest one are not offered', async ({ startServer, browserAt }) => {
  const { url } = await startServer({ TONESA_MAX_AGE_SECONDS: '604800' });
  const context = await browserAt(url);
  const page = await context.newPage();
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await expect(keep(page).getByRole('option')).toHaveText(['as long as allowed', 'for a day', 'for a week']);
  await page.locator('input[type=file][name=file]').setInputFiles(image('coffee.png'));
  await expect(page).toHaveURL(/\/u\//);
  await new ImagePage(page).live();
  expect(lifetime(await read(context.request, page))).toBe(7 * day);
});

test('the page of an upload that expires says so where it is open', async ({ startServer, browserAt, allowConsole }) => {
  allowConsole(/410/);
  const seconds = 6;
  const { url } = await startServer({ TONESA_MAX_AGE_SECONDS: String(seconds) });
  const context = await browserAt(url);
  const shared = await upload(context.request);
  const reader = await ImagePage.openAsAnother(context, shared.shortID);
  const { expiresAt } = await read(context.request, reader.page);
  await reader.composer.fill('a draft');
  await expect(reader.picture).toBeVisible();
  const gone = (page: Page) => page.getByRole('heading', { name: 'This picture is gone' });
  await expect(gone(reader.page)).toBeVisible({ timeout: seconds * 1_000 + 10_000 });
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt!));
  await expect(reader.picture).toHaveCount(0);
  for (const address of [`/i/${shared.shortID}`, `/api/uploads/${shared.id}`, `/u/${shared.shortID}`]) {
    expect((await context.request.get(address)).status(), address).toBe(410);
  }
  await reader.page.reload();
  await expect(gone(reader.page)).toBeVisible();
});
