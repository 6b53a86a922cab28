import { expect } from '@playwright/test';
import { test } from '../fixtures';
import { post, upload } from './api';
import { ImagePage } from './pages';

// The page is in German, and so are its dates.
const reader = { locale: 'de-AT', timezoneId: 'Pacific/Auckland' };
const daysLater = 3 * 24 * 60 * 60_000;

test.use(reader);

// Hydration does not compare texts: a first render in the reader's time zone would leave the server's texts in place.
test("times and days are in UTC first, and in the reader's zone and language after hydration", async ({
  page,
  browser,
  request,
}) => {
  const shared = await upload(request);
  const { createdAt } = await post(request, shared, 'What time is it?');
  const at = new Date(createdAt);

  const withoutScripts = await browser.newContext({ locale: reader.locale, javaScriptEnabled: false });
  const plain = await withoutScripts.newPage();
  await plain.goto(`/u/${shared.shortID}`);
  const day = at.toLocaleDateString('de', { timeZone: 'UTC', dateStyle: 'long' });
  await expect(plain.locator('.day')).toHaveText(day);
  await expect(plain.locator('time')).toHaveText(`${createdAt.slice(11, 16)} UTC`);
  await withoutScripts.close();

  // `navigator.language` may be a language that `Intl` rejects.
  await page.addInitScript(() => Object.defineProperty(navigator, 'language', { value: 'de-AT@euro' }));
  // Otherwise the day would be "Heute".
  await page.clock.setFixedTime(Date.now() + daysLater);
  await ImagePage.open(page, shared.shortID);
  const timeZone = reader.timezoneId;
  const ownDay = at.toLocaleDateString(reader.locale, { timeZone, dateStyle: 'long' });
  const ownTime = at.toLocaleTimeString(reader.locale, { timeZone, timeStyle: 'short' });
  await expect(page.locator('.day')).toHaveText(ownDay);
  await expect(page.locator('time')).toHaveText(ownTime);
});

test('at midnight today becomes yesterday', async ({ page, request }) => {
  const shared = await upload(request);
  const { createdAt } = await post(request, shared, 'Late');
  const at = new Date(createdAt);
  const local = new Date(at.toLocaleString('sv-SE', { timeZone: reader.timezoneId }).replace(' ', 'T') + 'Z');
  const untilMidnight = 24 * 60 * 60_000 - (local.getTime() % (24 * 60 * 60_000));
  await page.clock.install({ time: at.getTime() + untilMidnight - 60_000 });
  await ImagePage.open(page, shared.shortID);
  await expect(page.locator('.day')).toHaveText('Heute');
  await page.clock.runFor(61_000);
  await expect(page.locator('.day')).toHaveText('Gestern');
});
