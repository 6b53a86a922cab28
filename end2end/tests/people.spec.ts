import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { messages, upload } from './api';
import { ImagePage } from './pages';

const opener = (page: Page) => page.getByRole('button', { name: /^Writing as/ });

const field = (page: Page) => page.getByRole('textbox', { name: 'Writing as' });

/** Opens the field for the alias. */
async function edit(page: Page) {
  await opener(page).click();
  await expect(field(page)).toBeFocused();
}

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
  await edit(page);
  await field(page).fill('');
  await field(page).press('Enter');
  await page.reload();
  await writer.live();
  await expect(opener(page)).toHaveAccessibleName(/^Writing as Anonymous/);
});

test('nothing is sent under another name while an alias is refused', async ({ page, request }) => {
  const shared = await upload(request);
  const writer = await ImagePage.open(page, shared.shortID);
  await edit(page);
  await field(page).fill('x'.repeat(41));
  await writer.composer.fill('Hello');
  await expect(page.getByRole('alert')).toHaveText(
    'This name cannot be used. At most 40 characters are allowed; this has 41.',
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
  await edit(page);
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

const here = (page: Page) => page.getByRole('button', { name: /^\d+ here: / });

test('everyone sees who is here', async ({ page, another, request }) => {
  const shared = await upload(request);
  await ImagePage.open(page, shared.shortID);
  const mine = await alias(page);
  await expect(here(page)).toHaveAccessibleName(`1 here: ${mine} (you)`);
  await expect(here(page).locator('.avatar')).toHaveCount(1);
  const reader = await ImagePage.openAsAnother(another, shared.shortID);
  const theirs = await alias(reader.page);
  const two = new RegExp(`^2 here: (${mine} \\(you\\), ${theirs}|${theirs}, ${mine} \\(you\\))$`);
  await expect(here(page)).toHaveAccessibleName(two);
  await expect(here(reader.page)).toContainText('2 here');
  const colour = await opener(reader.page).locator('.avatar').evaluate((it) => getComputedStyle(it).backgroundColor);
  const colours = await here(page).locator('.avatar').evaluateAll((all) => all.map((it) => getComputedStyle(it).backgroundColor));
  expect(colours).toContain(colour);

  await here(page).click();
  const list = page.getByRole('listitem');
  await expect(list.filter({ hasText: theirs })).toBeVisible();
  await edit(reader.page);
  await field(reader.page).fill('Kim');
  await field(reader.page).press('Enter');
  await expect(list.filter({ hasText: 'Kim' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(list.filter({ hasText: 'Kim' })).toBeHidden();

  await reader.page.close();
  await expect(here(page)).toHaveAccessibleName(`1 here: ${mine} (you)`);
});

test('nothing is shown about who is here before the server says so, and without a connection', async ({ page, request }) => {
  const shared = await upload(request);
  let send = (_: object) => {};
  await page.routeWebSocket('**/api/socket', (socket) => {
    const server = socket.connectToServer();
    send = (data) => socket.send(JSON.stringify({ type: 'presence', data: { uploadID: shared.id, ...data } }));
    server.onMessage((frame) => String(frame).includes('"presence"') || socket.send(frame));
  });
  const opened = await ImagePage.open(page, shared.shortID);
  await expect(here(page)).toHaveCount(0);
  const place = () => opened.status.evaluate((status) => status.getBoundingClientRect().x);
  const before = await place();
  const people = Array.from({ length: 8 }, (_, n) => ({ name: `Guest ${n}` }));
  send({ count: 12, people });
  await expect(here(page)).toHaveAccessibleName(/^12 here: Guest 0, .*, Guest 7, 4 more$/);
  await expect(here(page)).toContainText('+7');
  await expect(here(page).locator('.avatar')).toHaveCount(5);
  expect(await place()).toBe(before);
  await page.context().setOffline(true);
  await expect(opened.status).toHaveText('Offline');
  await expect(here(page)).toHaveCount(0);
});
