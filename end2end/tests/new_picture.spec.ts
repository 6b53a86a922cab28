import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { imagePayload, upload } from './api';
import { dropOrPaste, transferOf } from './files';
import { ImagePage } from './pages';

const dialog = (page: Page) => page.getByRole('dialog', { name: 'New picture' });

/** Counts the uploads that a page sends. */
function countUploads(page: Page) {
  const sent = { uploads: 0 };
  page.on('request', (request) => {
    sent.uploads += Number(request.method() === 'POST' && new URL(request.url()).pathname === '/api/uploads');
  });
  return sent;
}

test('a link leads from an image, and from an unknown link, to the upload form', async ({ page, request, allowConsole }) => {
  allowConsole(/404/);
  const shared = await upload(request);
  for (const address of [`/u/${shared.shortID}`, '/u/zzzzzzzz']) {
    await page.goto(address);
    await expect(page.locator('html.hydrated')).toBeAttached();
    await page.getByRole('link', { name: 'New picture' }).click();
    await expect(page.getByText('Drop a picture anywhere')).toBeVisible();
    await expect(page.getByRole('link', { name: 'New picture' })).toBeHidden();
  }
});

for (const how of ['drop', 'paste'] as const) {
  test(`an image is offered after a ${how} and sent only with consent`, async ({ page, request }) => {
    const shared = await upload(request);
    await ImagePage.open(page, shared.shortID);
    const sent = countUploads(page);
    await dropOrPaste(page, how, [imagePayload('grey.jpg')]);
    await expect(dialog(page).getByRole('heading')).toHaveText('Upload this picture?');
    const preview = dialog(page).getByRole('img', { name: 'The chosen picture' });
    await expect(preview).toHaveJSProperty('naturalWidth', 451);
    await expect(dialog(page).getByRole('progressbar')).toBeHidden();

    await dialog(page).getByRole('button', { name: 'Cancel' }).click();
    await expect(dialog(page)).toBeHidden();
    await dropOrPaste(page, how, [imagePayload('grey.jpg')]);
    await expect(dialog(page)).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(dialog(page)).toBeHidden();
    expect(sent.uploads).toBe(0);
    await expect(page).toHaveURL(new RegExp(`${shared.shortID}$`));

    await dropOrPaste(page, how, [imagePayload('grey.jpg')]);
    await dialog(page).getByRole('button', { name: 'Upload' }).click();
    await expect(page).not.toHaveURL(new RegExp(`${shared.shortID}$`));
    const opened = new ImagePage(page);
    await expect(opened.picture).toHaveJSProperty('naturalWidth', 451);
    await opened.live();
    await expect(dialog(page)).toBeHidden();
    expect(sent.uploads).toBe(1);
  });
}

test('a file that is no image is refused, and the refusal can be closed', async ({ page, request, allowConsole }) => {
  allowConsole(/415/);
  const shared = await upload(request);
  await ImagePage.open(page, shared.shortID);
  await dropOrPaste(page, 'drop', [{ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') }]);
  await dialog(page).getByRole('button', { name: 'Upload' }).click();
  await expect(dialog(page).getByRole('alert')).toContainText('PNG, JPEG');
  await dialog(page).getByRole('button', { name: 'Close' }).click();
  await expect(dialog(page)).toBeHidden();
});

test('text that is pasted into the message stays text, also with a picture of it', async ({ page, request }) => {
  const shared = await upload(request);
  const opened = await ImagePage.open(page, shared.shortID);
  await opened.composer.focus();
  const transfer = await transferOf(page, [imagePayload('grey.jpg')]);
  const paste = (withText: boolean) =>
    page.evaluate(
      ([transfer, withText]) => {
        if (withText) transfer.setData('text/plain', 'cells');
        const event = new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true });
        document.activeElement!.dispatchEvent(event);
      },
      [transfer, withText] as const,
    );
  await paste(true);
  await expect(dialog(page)).toBeHidden();
  await transfer.evaluate((transfer) => transfer.clearData('text/plain'));
  await paste(false);
  await expect(dialog(page)).toBeVisible();
});

for (const address of ['home page', 'image page']) {
  test(`the drop cover of the ${address} leaves when the pointer moves again`, async ({ page, request }) => {
    await page.goto(address === 'home page' ? '/' : `/u/${(await upload(request)).shortID}`);
    await expect(page.locator('html.hydrated')).toBeAttached();
    const transfer = await transferOf(page, [imagePayload('grey.jpg')]);
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
    await expect(page.locator('.drop-cover.shown')).toBeVisible();
    await page.mouse.move(30, 200);
    await expect(page.locator('.drop-cover.shown')).toHaveCount(0);
  });
}
