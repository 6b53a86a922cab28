import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, messages, post, upload } from './api';
import { serious } from './axe';
import { ImagePage } from './pages';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    test.describe(`${colorScheme}, ${viewport.width} px`, () => {
      // Colours are looked at, which animations mix.
      test.use({ colorScheme, viewport, contextOptions: { reducedMotion: 'reduce' } });

      test('axe finds nothing serious on the home page', async ({ page, allowConsole }) => {
        allowConsole(/404|415/);
        await page.goto('/');
        await expect(page.locator('html.hydrated')).toBeAttached();
        const stored = [1, 2].map((n) => `0000000${n} ${n}\n`).join('');
        await page.evaluate((stored) => localStorage.setItem('tonesa.pictures', stored), stored);
        await page.reload();
        await expect(page.getByText('No longer there')).toHaveCount(2);
        expect(await serious(page)).toEqual([]);
        const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') };
        await expect(page.locator('html.hydrated')).toBeAttached();
        await page.locator('input[type=file][name=file]').setInputFiles(notes);
        await expect(page.getByRole('alert')).toContainText('PNG, JPEG, GIF and WebP');
        expect(await serious(page)).toEqual([]);
      });

      test('axe finds nothing serious on the image page', async ({ page, request, allowConsole }) => {
        allowConsole(/net::ERR_/);
        const shared = await upload(request);
        const opened = await ImagePage.open(page, shared.shortID);
        expect(await serious(page)).toEqual([]);
        await page.getByRole('button', { name: 'Share', exact: true }).click();
        await expect(page.locator('#share')).toBeVisible();
        expect(await serious(page)).toEqual([]);
        await page.keyboard.press('Escape');
        for (const author of ['Mira', 'Anonymous', 'Jonas', 'Kim', 'Åsa', '木村', 'Zoë', 'Ω']) {
          await post(request, shared, `${author} was here`, author);
        }
        await post(request, shared, 'Look here', 'Mira', { x: 0.3, y: 0.6 });
        await expect(opened.messages).toHaveCount(9);
        await opened.tap(0.5, 0.5);
        await expect(page.locator('.hint')).toBeHidden();
        await page.getByRole('link', { name: 'Pin 1 on the picture' }).hover();
        await page.route('**/messages', (route) => route.abort());
        await opened.say('this one fails');
        await expect(page.getByText('Waiting for the connection')).toBeVisible();
        expect(await serious(page)).toEqual([]);
      });

      test('axe finds nothing serious on the page for an unknown link', async ({ page, allowConsole }) => {
        allowConsole(/404/);
        await page.goto('/u/zzzzzzzz');
        expect(await serious(page)).toEqual([]);
      });
    });
  }
}

test('the keyboard alone uploads, names, writes, points and copies', async ({ page, request, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  const chooser = page.waitForEvent('filechooser');
  await tabTo(page, 'input[type=file][name=file]');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(image('coffee.png'));
  await expect(page).toHaveURL(/\/u\//);
  const opened = new ImagePage(page);
  await opened.live();

  await tabTo(page, '.share-open');
  await page.keyboard.press('Enter');
  await tabTo(page, '#share .copy-link');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.locator('#share')).toBeHidden();
  await tabTo(page, '.keyboard-pointer');
  await page.keyboard.press('ArrowDown');
  const crosshair = page.locator('.crosshair');
  const place = await crosshair.getAttribute('style');
  // With Control or Alt they are the browser's.
  await page.keyboard.press('Control+ArrowDown');
  expect(await crosshair.getAttribute('style')).toBe(place);
  await page.keyboard.press('Space');
  await expect(opened.ripples).toHaveCount(1);
  await tabTo(page, '.alias-open');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Writing as' })).toBeFocused();
  await page.keyboard.type('Kim');
  await page.keyboard.press('Enter');
  await expect(page.locator('.alias-open')).toBeFocused();
  await tabTo(page, '#message');
  await page.keyboard.type('Agreed');
  await page.keyboard.press('Enter');
  await expect(opened.messages).toHaveText([/Agreed$/]);
  const shortID = page.url().split('/').pop()!;
  await expect
    .poll(async () => (await messages(request, { shortID })).map(({ authorName, content }) => [authorName, content]))
    .toEqual([['Kim', 'Agreed']]);
});

/** Presses Tab until the element has the focus, which must be visible. */
async function tabTo(page: Page, selector: string) {
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((selector) => document.activeElement?.matches(selector), selector)) {
      const visible = await page.evaluate(() => {
        const element = document.activeElement!;
        const ring = (of: Element) => getComputedStyle(of).outlineStyle !== 'none';
        return ring(element) || (element.parentElement !== null && ring(element.parentElement));
      });
      expect(visible, `the focus on ${selector} is visible`).toBe(true);
      return;
    }
  }
  throw new Error(`Tab does not lead to ${selector}`);
}
