import { expect } from '@playwright/test';
import { test } from '../fixtures';
import { heading, itemOf, openConversation, report, signIn, withAdmin } from './admin';
import { messages, post, upload } from './api';
import { ImagePage } from './pages';
import { png, uploadPng } from './pictures';

test.use({ serverEnv: withAdmin });

const scripts = { javaScriptEnabled: true };

for (const javaScriptEnabled of [true, false]) {
  // An admin's browser, and that of somebody who reports. Another one shows what becomes of a live page.
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('who has the token signs in and out, and nobody else', async ({ page, allowConsole }) => {
      allowConsole(/403/);
      await signIn(page, 'not-the-token');
      await expect(page.getByRole('alert')).toHaveText('That token is wrong.');
      await page.goto('/admin/addresses');
      await expect(page).toHaveURL(/\/admin\/sign-in$/);
      await signIn(page);
      await expect(page).toHaveURL(/\/admin$/);
      await expect(heading(page, 'Reported')).toBeVisible();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await expect(page).toHaveURL(/\/admin\/sign-in$/);
      await page.goto('/admin');
      await expect(page).toHaveURL(/\/admin\/sign-in$/);
      await expect(page.getByRole('textbox', { name: 'Admin token' })).toBeVisible();
    });

    test('reports are listed with a small picture and a link until they are dismissed', async ({ page, request }) => {
      const reported = await upload(request, 'progressive.jpg');
      const other = await uploadPng(request, 20, 10);
      await report(page, reported.shortID, 'My address <b>can</b> be read\non the door.');
      await expect(heading(page, 'Thank you')).toBeVisible();

      await signIn(page);
      const item = itemOf(page, reported.shortID);
      await expect(item.getByText('My address <b>can</b> be read\non the door.')).toBeVisible();
      await expect(itemOf(page, other.shortID)).toHaveCount(0);
      await item.getByRole('link', { name: `/u/${reported.shortID}` }).click();
      await expect(new ImagePage(page).picture).toBeVisible();
      await page.goto('/admin?all=1');
      await expect(heading(page, 'All pictures')).toBeVisible();
      for (const [shared, width] of [[reported, 640], [other, 20]] as const) {
        const small = itemOf(page, shared.shortID).locator('img');
        await small.scrollIntoViewIfNeeded();
        await expect(small).toHaveJSProperty('naturalWidth', width);
      }

      await page.getByRole('navigation', { name: 'Moderation' }).getByRole('link', { name: 'Reported' }).click();
      await item.getByRole('button', { name: 'Dismiss the reports' }).click();
      await expect(heading(page, 'Reported')).toBeVisible();
      await expect(item).toHaveCount(0);
      await page.goto('/admin?all=1');
      await expect(item).toBeVisible();
    });

    test('an upload that is removed is gone, also where it is open', async ({ page, browserAt, baseURL, request, allowConsole }) => {
      allowConsole(/410/);
      const shared = await uploadPng(request, 30, 20);
      const reader = await ImagePage.openAsAnother(await browserAt(baseURL!, scripts), shared.shortID);
      await signIn(page);
      await openConversation(page, shared.shortID);
      const remove = page.getByRole('button', { name: 'Remove the picture and its messages' });
      // One wrong tap removes nothing.
      await expect(remove).toBeHidden();
      await page.getByText('Remove', { exact: true }).click();
      await remove.click();
      await expect(page).toHaveURL(/\/admin$/);
      await expect(heading(reader.page, 'This picture is gone')).toBeVisible();
      expect((await request.get(`/i/${shared.shortID}`)).status()).toBe(410);
      expect((await page.goto(`/u/${shared.shortID}`))!.status()).toBe(410);
      await expect(heading(page, 'This picture is gone')).toBeVisible();
      await page.goto('/admin?all=1');
      await expect(itemOf(page, shared.shortID)).toHaveCount(0);
      // The same picture may be shared again.
      await uploadPng(request, 30, 20);
    });

    test('a picture that is removed and refused cannot be shared again', async ({ page, browserAt, baseURL, request, allowConsole }) => {
      allowConsole(/403|410/);
      const size = javaScriptEnabled ? 41 : 42;
      const shared = await uploadPng(request, size, 10);
      const reader = await ImagePage.openAsAnother(await browserAt(baseURL!, scripts), shared.shortID);
      await signIn(page);
      await page.goto('/admin?all=1');
      const item = itemOf(page, shared.shortID);
      await item.getByText('Remove', { exact: true }).click();
      await item.getByRole('button', { name: 'Remove, and refuse this picture from now on' }).click();
      await expect(page).toHaveURL(/\/admin$/);
      await expect(heading(reader.page, 'This picture is gone')).toBeVisible();
      await page.goto('/');
      if (javaScriptEnabled) await expect(page.locator('html.hydrated')).toBeAttached();
      const file = { name: 'again.png', mimeType: 'image/png', buffer: png(size, 10) };
      await page.locator('input[type=file][name=file]').setInputFiles(file);
      if (!javaScriptEnabled) await page.getByRole('button', { name: 'Upload' }).click();
      await expect(page.getByText('This picture was removed here and cannot be shared again.')).toBeVisible();
    });

    test('a message that is removed disappears where it is listed', async ({ page, browserAt, baseURL, request }) => {
      const shared = await upload(request);
      await post(request, shared, 'fine');
      await post(request, shared, 'nasty', 'Troll', { x: 0.4, y: 0.6 });
      const reader = await ImagePage.openAsAnother(await browserAt(baseURL!, scripts), shared.shortID);
      await expect(reader.messages).toHaveCount(2);
      await signIn(page);
      await openConversation(page, shared.shortID);
      const listed = page.locator('.admin-messages > li');
      await expect(listed).toHaveText([/Elsewhere.*fine/, /Troll.*nasty/]);
      await listed.nth(1).getByText('Remove', { exact: true }).click();
      await listed.nth(1).getByRole('button', { name: 'Remove this message' }).click();
      await expect(heading(page, 'Conversation')).toBeVisible();
      await expect(listed).toHaveText([/fine/]);
      await expect(reader.messages).toHaveText(['fine']);
      await expect(reader.page.locator('.pin')).toHaveCount(0);
      expect((await messages(request, shared)).map(({ content }) => content)).not.toContain('nasty');
    });

    test('from a blocked address nothing is taken, and its pages say so', async ({ startServer, browserAt, allowConsole }) => {
      allowConsole(/403|422|WebSocket/);
      // All browsers have the same address. An admin's pages stay open to it.
      const { url } = await startServer(withAdmin);
      const visitor = await browserAt(url, scripts);
      const shared = await upload(visitor.request);
      const writer = await ImagePage.openAsAnother(visitor, shared.shortID);
      const page = await (await browserAt(url)).newPage();
      await signIn(page);
      await page.getByRole('link', { name: 'Blocked addresses' }).click();
      await expect(page.getByText('No address is blocked.')).toBeVisible();
      const address = page.getByRole('textbox', { name: 'IP address' });
      const block = page.getByRole('button', { name: 'Block', exact: true });
      await address.fill('somebody');
      await block.click();
      await expect(page.getByRole('alert')).toContainText(/\w/);
      await expect(address).toHaveValue('somebody');
      await address.fill('127.0.0.1');
      await page.getByRole('combobox', { name: 'How long' }).selectOption('for an hour');
      await block.click();
      const listed = page.getByRole('listitem').filter({ hasText: '127.0.0.1' });
      await expect(listed).toContainText(/until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);

      const refusal = 'Nothing is accepted from your network address for the time being.';
      await expect(writer.status).toHaveText('Reconnecting…');
      await writer.say('still here?');
      await expect(writer.page.getByText(`Not sent. ${refusal}`)).toBeVisible();
      await expect(writer.picture).toBeVisible();
      await report(page, shared.shortID, 'I cannot write');
      await expect(page.getByText(refusal)).toBeVisible();

      await page.goto('/admin/addresses');
      await listed.getByRole('button', { name: 'Unblock' }).click();
      await expect(page.getByText('No address is blocked.')).toBeVisible();
      await writer.page.evaluate(() => window.dispatchEvent(new Event('online')));
      await writer.live();
      await writer.say('back again');
      const stored = async () => (await messages(visitor.request, shared)).map(({ content }) => content);
      await expect.poll(stored).toEqual(['back again']);
    });
  });
}
