import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, messages, upload } from './api';

for (const part of ['wasm', 'js']) {
  test(`if the ${part} cannot be loaded, uploads and messages are sent by plain forms`, async ({
    page,
    allowConsole,
    request,
  }) => {
    allowConsole(/net::ERR_FAILED|Failed to fetch/);
    await page.route(`**/*.${part}`, (route) => route.abort());
    await page.goto('/');
    await uploadByForm(page);
    await postByForm(page);
    const shortID = page.url().split('/').pop()!;
    expect((await messages(request, { shortID })).map(({ authorName }) => authorName)).toEqual(['Jonas']);
  });
}

test('if the settings cannot be parsed, uploads and messages are sent by plain forms', async ({ page, request }) => {
  const shared = await upload(request);
  for (const address of ['/', `/u/${shared.shortID}`]) {
    await page.route(address, async (route) => {
      const answer = await route.fetch();
      const unreadable = (await answer.text()).replace(/(id="settings"[^>]*>)/, '$1?');
      await route.fulfill({ response: answer, body: unreadable });
    });
  }
  await page.goto('/');
  await uploadByForm(page);
  await page.goto(`/u/${shared.shortID}`);
  await postByForm(page);
});

async function uploadByForm(page: Page) {
  const field = page.locator('input[type=file][name=file]');
  await expect(page.locator('html.failed')).toBeAttached();
  await expect(field).toHaveCSS('opacity', '1');
  await field.setInputFiles(image('coffee.png'));
  await page.getByRole('button', { name: 'Upload' }).click();
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
}

async function postByForm(page: Page) {
  await expect(page.locator('html.failed')).toBeAttached();
  await expect(page.locator('.status')).toBeHidden();
  await page.getByRole('textbox', { name: 'Writing as' }).fill('Jonas');
  await page.getByRole('textbox', { name: 'Message' }).fill('Written all the same');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('log')).toContainText('Written all the same');
}
