import { expect } from '@playwright/test';
import { test } from '../fixtures';
import { post, upload } from './api';
import { ImagePage } from './pages';
import { screenshot } from './screenshots';

// What the README's screenshots show: TONESA_SCREENSHOTS=../docs/images writes them.
test.use({ viewport: { width: 1280, height: 800 } });

test('the home page of the README', async ({ page }) => {
  // The demonstration is at its end.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await screenshot(page, 'home', 'allow');
});

test('the image page of the README', async ({ page, another, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'Is that foam or a reflection, up here on the rim?', 'Mira', { x: 0.38, y: 0.16 });
  await post(request, shared, 'Reflection. Look at the spoon: same light.', 'Teal Heron', { x: 0.69, y: 0.6 });
  await post(request, shared, 'The shadow on the left side is what I would fix first.', 'Jonas', { x: 0.2, y: 0.42 });
  const mine = await ImagePage.open(page, shared.shortID);
  const theirs = await ImagePage.openAsAnother(another, shared.shortID);
  await page.getByRole('button', { name: /^Writing as/ }).click();
  await page.getByRole('textbox', { name: 'Writing as' }).fill('Kim');
  await page.getByRole('textbox', { name: 'Writing as' }).press('Enter');
  await mine.say('Agreed, cropping it now');
  await expect(mine.messages).toHaveCount(4);
  await expect(page.getByText('Sending…')).toHaveCount(0);
  await theirs.tap(0.28, 0.66);
  await expect(mine.ripples).toHaveCount(1);
  await mine.tap(0.62, 0.3);
  await expect(mine.ripples).toHaveCount(2);
  await screenshot(page, 'image', 'allow');
});
