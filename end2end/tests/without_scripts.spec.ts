import { expect } from '@playwright/test';
import { test } from '../fixtures';
import { image, messages, post, upload } from './api';

test.use({ javaScriptEnabled: false });

test('a link shows the image and its messages', async ({ page, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'Is that foam or a reflection?', 'Mira');
  await page.goto(`/u/${shared.shortID}`);
  const picture = page.getByRole('img', { name: /^The shared picture/ });
  await expect(picture).toBeVisible();
  await expect(picture).not.toHaveJSProperty('naturalWidth', 0);
  await expect(page.getByLabel('Messages').getByText('Is that foam or a reflection?')).toBeVisible();
  await expect(page.getByText('Mira')).toBeVisible();
});

test('the link is shared as a text and as a QR code', async ({ page, request, baseURL }) => {
  const shared = await upload(request);
  await post(request, shared, 'Not empty');
  await page.goto(`/u/${shared.shortID}`);
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  const link = page.getByRole('textbox', { name: 'Link to this page' });
  await expect(link).toHaveValue(`${baseURL}/u/${shared.shortID}`);
  const code = page.getByRole('img', { name: 'The link as a QR code' });
  await expect(code).toBeVisible();
  await expect(page.getByRole('button', { name: 'Copy' })).toBeHidden();
});

test('the form uploads', async ({ page }) => {
  await page.goto('/');
  await page.locator('input[type=file][name=file]').setInputFiles(image('coffee.png'));
  await page.getByRole('button', { name: 'Upload' }).click();
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
  await expect(page.getByRole('img', { name: /^The shared picture/ })).not.toHaveJSProperty('naturalWidth', 0);
});

test('a refused upload is explained on a page', async ({ page, allowConsole }) => {
  allowConsole(/415/);
  await page.goto('/');
  const field = page.locator('input[type=file][name=file]');
  await field.setInputFiles({ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await page.getByRole('button', { name: 'Upload' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByText(/PNG, JPEG, GIF and WebP/)).toBeVisible();
});

test('the form writes a message', async ({ page, request }) => {
  const shared = await upload(request);
  await page.goto(`/u/${shared.shortID}`);
  await page.getByRole('textbox', { name: 'Writing as' }).fill('Jonas');
  await page.getByRole('textbox', { name: 'Message' }).fill('Written <b>without</b> scripts');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page).toHaveURL(new RegExp(`/u/${shared.shortID}$`));
  await expect(page.getByLabel('Messages').getByText('Written <b>without</b> scripts')).toBeVisible();
  expect((await messages(request, shared)).map(({ authorName }) => authorName)).toEqual(['Jonas']);
});

test('a refused message comes back in its form, and can be sent from there', async ({ page, request, allowConsole }) => {
  allowConsole(/422/);
  const shared = await upload(request);
  await page.goto(`/u/${shared.shortID}`);
  const long = `A tale of ${'x'.repeat(2_000)}`;
  await page.getByRole('textbox', { name: 'Writing as' }).fill('Jonas');
  await page.getByRole('textbox', { name: 'Message' }).fill(long);
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Writing as' })).toHaveValue('Jonas');
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue(long);
  await expect(page.getByRole('link', { name: 'Back to the picture' })).toHaveAttribute('href', `/u/${shared.shortID}`);
  const address = page.url();
  await page.getByRole('textbox', { name: 'Message' }).fill('A short tale');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page).toHaveURL(new RegExp(`/u/${shared.shortID}$`));
  await expect(page.getByLabel('Messages').getByText('A short tale')).toBeVisible();
  // The address is entered again.
  await page.goto(address);
  await expect(page).toHaveURL(new RegExp(`/u/${shared.shortID}$`));
  expect((await messages(request, shared)).map(({ authorName }) => authorName)).toEqual(['Jonas']);
});
