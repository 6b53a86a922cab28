// Where the focus goes when the button that has it disappears.
import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, imagePayload, post, upload } from './api';
import { dropOrPaste } from './files';
import { ImagePage } from './pages';

const removeButtons = (page: Page) => page.getByRole('button', { name: 'Remove from this list' });

test('after a picture is removed from the list the next one has the focus', async ({ page, request }) => {
  const uploads = [await upload(request), await upload(request), await upload(request)];
  const stored = uploads.map(({ shortID }) => `${shortID} ${Date.now()}\n`).join('');
  await page.addInitScript((stored) => localStorage.setItem('tonesa.pictures', stored), stored);
  await page.goto('/');
  await expect(removeButtons(page)).toHaveCount(3);
  const [, second, third] = uploads.map(({ shortID }) =>
    removeButtons(page).and(
      page.getByRole('listitem').filter({ has: page.locator(`a[href="/u/${shortID}"]`) }).getByRole('button'),
    ),
  );
  await removeButtons(page).first().press('Enter');
  await expect(removeButtons(page)).toHaveCount(2);
  await expect(second).toBeFocused();
  await third.press('Enter');
  await expect(removeButtons(page)).toHaveCount(1);
  await expect(second).toBeFocused();
  await second.press('Enter');
  await expect(removeButtons(page)).toHaveCount(0);
  await expect(page.getByRole('main')).toBeFocused();
});

test('the focus stays in the dialog when an offered picture is uploaded, and when that fails', async ({
  page,
  request,
  allowConsole,
}) => {
  allowConsole(/net::ERR_/);
  const shared = await upload(request);
  await ImagePage.open(page, shared.shortID);
  let fail = () => {};
  const held = new Promise<void>((resolve) => (fail = resolve));
  await page.route('**/api/uploads', async (route) => (await held, route.abort()));
  await dropOrPaste(page, 'drop', [imagePayload('grey.jpg')]);
  const dialog = page.getByRole('dialog', { name: 'New picture' });
  await dialog.getByRole('button', { name: 'Upload' }).press('Enter');
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  fail();
  await expect(dialog.getByRole('button', { name: 'Try again' })).toBeFocused();
});

test('the focus stays in the upload form', async ({ page, allowConsole }) => {
  allowConsole(/net::ERR_/);
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await page.route('**/api/uploads', () => {});
  const field = page.locator('input[type=file][name=file]');
  await field.focus();
  await field.setInputFiles(image('coffee.png'));
  const cancel = page.getByRole('button', { name: 'Cancel' });
  await expect(cancel).toBeFocused();
  await cancel.press('Enter');
  await expect(field).toBeFocused();
});

test('a hint at the edge hands the focus to the stage', async ({ page, another, request }) => {
  const shared = await upload(request);
  const tapper = await ImagePage.open(page, shared.shortID);
  const watcher = await ImagePage.openAsAnother(another, shared.shortID);
  const box = (await watcher.picture.boundingBox())!;
  await watcher.page.mouse.move(box.x + box.width / 10, box.y + box.height / 10);
  await watcher.page.keyboard.down('Control');
  for (let n = 0; n < 8; n++) await watcher.page.mouse.wheel(0, -100);
  await watcher.page.keyboard.up('Control');
  await tapper.tap(0.9, 0.5);
  const hint = watcher.page.getByRole('button', { name: 'points here' });
  await hint.press('Enter');
  await expect(hint).toHaveCount(0);
  await expect(watcher.page.locator('.stage')).toBeFocused();
});

test('the message has the focus when it is sent again, and the list when there are no earlier ones', async ({
  page,
  request,
  allowConsole,
}) => {
  allowConsole(/503|net::ERR_/);
  const shared = await upload(request);
  for (let n = 0; n < 55; n++) await post(request, shared, `message ${n}`);
  const opened = await ImagePage.open(page, shared.shortID);
  const busy = { status: 503, headers: { 'retry-after': '100' }, body: '' };
  await page.route('**/messages', (route) => (route.request().method() === 'POST' ? route.fulfill(busy) : route.continue()));
  await opened.say('again');
  await page.getByRole('button', { name: 'Try again' }).press('Enter');
  await expect(page.locator('.message').last()).toBeFocused();

  const earlier = page.getByRole('button', { name: 'Earlier messages' });
  await earlier.focus();
  await expect(earlier).toBeHidden();
  await expect(page.getByRole('log')).toBeFocused();
});
