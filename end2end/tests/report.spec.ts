// The form to report an upload, and how it and the pages of who runs the server look.
import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { heading, itemOf, openConversation, report, signIn, withAdmin } from './admin';
import { post, upload } from './api';
import { serious } from './axe';
import { ImagePage } from './pages';

const link = (page: Page) => page.getByRole('link', { name: 'Report picture' });

test.use({ serverEnv: withAdmin });

test('nothing can be reported where nobody reads reports', async ({ startServer, browserAt }) => {
  const context = await browserAt((await startServer()).url);
  const { shortID } = await upload(context.request);
  const { page } = await ImagePage.openAsAnother(context, shortID);
  await expect(link(page)).toHaveCount(0);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('a report is sent from the page of its picture, and thanked for', async ({ page, request, allowConsole }) => {
      allowConsole(/422/);
      const { shortID } = await upload(request);
      await report(page, shortID, '   ');
      await expect(page.getByRole('alert')).toHaveText(/\w/);
      await page.getByRole('textbox', { name: 'What is wrong?' }).fill('Not a cup of mine.');
      await page.getByRole('button', { name: 'Send the report' }).click();
      await expect(heading(page, 'Thank you')).toBeVisible();
      await expect(page.getByRole('status')).toHaveText('Your report was sent to whoever runs this server.');
      await page.getByRole('link', { name: 'Back to the picture' }).click();
      await expect(page).toHaveURL(new RegExp(`/u/${shortID}$`));
      await expect(link(page)).toBeVisible();
    });
  });
}

const viewport = { width: 390, height: 844 };

async function check(page: Page) {
  expect(await serious(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`${colorScheme}, ${viewport.width} px`, () => {
    test.use({ colorScheme, viewport, contextOptions: { reducedMotion: 'reduce' } });

    const long = 'w'.repeat(300);

    test('axe finds nothing serious in the form, and nothing is wider than the window', async ({ page, request, allowConsole }) => {
      allowConsole(/422/);
      const shared = await upload(request);
      await report(page, shared.shortID, '   ');
      await expect(page.getByRole('alert')).toHaveText(/\w/);
      await check(page);
      await report(page, shared.shortID, long);
      await expect(heading(page, 'Thank you')).toBeVisible();
      await check(page);
    });

    test('axe finds nothing serious in an admin\'s pages, and nothing is wider than the window', async ({ page, request, allowConsole }) => {
      allowConsole(/403|422/);
      const shared = await upload(request);
      await request.post(`/api/uploads/${shared.id}/reports`, { data: { reason: long } });
      await post(request, shared, long, 'W'.repeat(40));
      await signIn(page, 'not-the-token');
      await expect(page.getByRole('alert')).toHaveText(/\w/);
      await check(page);
      await signIn(page);
      await itemOf(page, shared.shortID).getByText('Remove', { exact: true }).click();
      await check(page);
      await openConversation(page, shared.shortID);
      for (const remove of await page.getByText('Remove', { exact: true }).all()) await remove.click();
      await check(page);
      await page.goto('/admin/addresses');
      for (const address of ['192.0.2.7', long]) {
        await page.getByRole('textbox', { name: 'IP address' }).fill(address);
        await page.getByRole('button', { name: 'Block', exact: true }).click();
      }
      await expect(page.getByRole('alert')).toHaveText(/\w/);
      await expect(page.getByRole('button', { name: 'Unblock' })).toBeVisible();
      await check(page);
    });
  });
}
