import { expect } from '@playwright/test';
import { test } from '../fixtures';
import { upload } from './api';

// Link previews are made without scripts.
test.use({ javaScriptEnabled: false });

test('the first HTML describes the link for previews', async ({ page, request, baseURL }) => {
  const shared = await upload(request);
  const url = `${baseURL}/u/${shared.shortID}`;
  await page.goto(url);
  const meta = (name: string) => page.locator(`meta[name="${name}"], meta[property="${name}"]`).getAttribute('content');
  expect(await page.title()).toContain('Tonesa');
  expect(await page.locator('link[rel=canonical]').getAttribute('href')).toBe(url);
  expect(await meta('description')).toBeTruthy();
  expect(await meta('og:title')).toBeTruthy();
  expect(await meta('og:url')).toBe(url);
  expect(await meta('og:image')).toBe(`${baseURL}/i/${shared.shortID}/preview.jpg`);
  expect(await meta('og:image:type')).toBe('image/jpeg');
  expect(await meta('og:image:width')).toBe('600');
  expect(await meta('og:image:height')).toBe('400');
  expect(await meta('twitter:card')).toBe('summary_large_image');
});
