import { expect } from '@playwright/test';
import { test } from '../fixtures';
import { upload } from './api';

test('the first HTML describes the link for previews', async ({ request, baseURL }) => {
  const shared = await upload(request);
  const html = await (await request.get(`/u/${shared.shortID}`)).text();
  const url = `${baseURL}/u/${shared.shortID}`;
  const meta = (name: string) => html.match(new RegExp(`<meta[^>]*(?:name|property)="${name}"[^>]*content="([^"]*)"`))?.[1];
  expect(html).toMatch(/<title>[^<]+<\/title>/);
  expect(html).toContain(`<link rel="canonical" href="${url}"`);
  expect(meta('description')).toBeTruthy();
  expect(meta('og:url')).toBe(url);
  expect(meta('og:image')).toBe(`${baseURL}/i/${shared.shortID}`);
  expect(meta('og:image:type')).toBe('image/png');
  expect(meta('og:image:width')).toBe('600');
  expect(meta('og:image:height')).toBe('400');
  expect(meta('twitter:card')).toBe('summary_large_image');
});
