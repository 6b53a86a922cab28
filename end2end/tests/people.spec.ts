import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { messages, upload } from './api';
import { ImagePage } from './pages';

const opener = (page: Page) => page.getByRole('button', { name: /^Writing as/ });

const field = (page: Page) => page.getByRole('textbox', { name: 'Writing as' });

const alias = (page: Page) => opener(page).locator('bdi').innerText();

test('a browser without an alias gets a friendly one, which stays and is sent', async ({ page, another, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await expect(opener(page)).toHaveAccessibleName(/^Writing as [A-Z][a-z]+ [A-Z][a-z]+ ?, change the name$/);
  const name = await alias(page);
  await expect(opener(page).locator('.avatar')).toHaveText(name[0]);
  await page.reload();
  await writer.live();
  await expect(opener(page)).toHaveAccessibleName(new RegExp(`^Writing as ${name}\\b`));
  await writer.say('Hello');
  await expect.poll(async () => (await messages(request, shared)).map(({ authorName }) => authorName)).toEqual([name]);
  // The chip has the colour that others see.
  const reader = await ImagePage.openAsAnother(another, shared.shortID);
  const disc = reader.page.locator('.message .avatar');
  const colour = await opener(page).locator('.avatar').evaluate((it) => getComputedStyle(it).backgroundColor);
  await expect(disc).toHaveCSS('background-color', colour);
});

test('an alias that was left empty stays Anonymous', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await opener(page).click();
  await field(page).fill('');
  await field(page).press('Enter');
  await page.reload();
  await writer.live();
  await expect(opener(page)).toHaveAccessibleName(/^Writing as Anonymous/);
});

test('nothing is sent under another name while an alias is refused', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await opener(page).click();
  await field(page).fill('x'.repeat(41));
  await writer.composer.fill('Hello');
  await expect(page.getByRole('alert')).toHaveText(
    'This name cannot be used: at most 40 characters are allowed, these are 41.',
  );
  await writer.composer.press('Enter');
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveAttribute('aria-invalid', 'true');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(field(page)).toBeFocused();
  await expect(writer.composer).toHaveValue('Hello');
  await expect(writer.messages).toHaveCount(0);
  await field(page).fill('x'.repeat(40));
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(writer.messages).toHaveText(['Hello']);
  await expect
    .poll(async () => (await messages(request, shared)).map(({ authorName }) => authorName))
    .toEqual(['x'.repeat(40)]);
});

test('a composition in the alias field is not cut short', async ({ page, request }) => {
  const shared = await upload(request);
  await ImagePage.open(page, shared.shortID);
  await opener(page).click();
  await expect(field(page)).toBeFocused();
  const session = await page.context().newCDPSession(page);
  await session.send('Input.imeSetComposition', { text: 'きむら', selectionStart: 3, selectionEnd: 3 });
  for (const key of ['Enter', 'Escape']) {
    await field(page).dispatchEvent('keydown', { key, isComposing: true });
    await expect(field(page)).toBeFocused();
  }
  await session.send('Input.insertText', { text: '木村' });
  await field(page).press('Enter');
  await expect(opener(page)).toHaveAccessibleName(/^Writing as 木村/);
});
