import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, post, upload } from './api';
import { ImagePage } from './pages';

/** Counts requests for documents and pictures, and sockets. */
function observe(page: Page) {
  const seen = { documents: 0, pictures: 0, sockets: 0, sent: [] as string[] };
  page.on('request', (request) => {
    seen.documents += Number(request.isNavigationRequest());
    seen.pictures += Number(new URL(request.url()).pathname.startsWith('/i/'));
  });
  page.on('websocket', (socket) => {
    seen.sockets += 1;
    socket.on('framesent', ({ payload }) => seen.sent.push(JSON.parse(String(payload)).type));
  });
  return seen;
}

const field = (page: Page) => page.locator('input[type=file][name=file]');

async function uploaded(page: Page, name: string) {
  await field(page).setInputFiles(image(name));
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
  const opened = new ImagePage(page);
  await opened.live();
  return opened;
}

test('navigation between uploads, back and forward loads no document', async ({ page }) => {
  const seen = observe(page);
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  const first = await uploaded(page, 'coffee.png');
  const address = page.url();
  await expect(page).toHaveTitle(/^Picture of .*\d.* · Tonesa$/);
  await expect(page.getByRole('main')).toBeFocused();

  await page.getByRole('link', { name: 'Tonesa', exact: true }).click();
  await expect(page).toHaveTitle(/point at a picture/);
  await expect(page.getByRole('main')).toBeFocused();
  await uploaded(page, 'grey.jpg');
  expect(page.url()).not.toBe(address);

  await page.goBack();
  await page.goBack();
  await expect(page).toHaveURL(address);
  await first.live();
  await expect(first.picture).not.toHaveJSProperty('naturalWidth', 0);
  await page.goForward();
  await expect(page.getByText('Drop a picture anywhere')).toBeVisible();
  expect(seen.documents).toBe(1);
});

test('a new picture grows into its place from the local file once', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  const opened = await uploaded(page, 'coffee.png');
  await expect(opened.picture).toHaveAttribute('src', /^blob:/);
  await expect(page.locator('.fitted.grows')).toHaveCount(1);
  await page.getByRole('link', { name: 'Tonesa', exact: true }).click();
  await expect(page.getByText('Drop a picture anywhere')).toBeVisible();
  await page.goBack();
  await opened.live();
  await expect(opened.picture).toHaveAttribute('src', /^\/i\//);
  await expect(page.locator('.fitted.grows')).toHaveCount(0);
});

test('the socket is kept from page to page', async ({ page }) => {
  const seen = observe(page);
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await uploaded(page, 'coffee.png');
  await page.getByRole('link', { name: 'Tonesa', exact: true }).click();
  await uploaded(page, 'grey.jpg');
  await page.goBack();
  await page.goBack();
  await new ImagePage(page).live();
  expect(seen.sockets).toBe(1);
  expect(seen.sent).toEqual(['watch', 'unwatch', 'watch', 'unwatch', 'watch']);
});

test('an uploaded picture is shown at once and is not loaded again', { tag: '@alone' }, async ({ page }) => {
  const seen = observe(page);
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  // Each animation frame shows a picture: that of the form, then that of the page.
  await page.evaluate(() => {
    const frames: boolean[] = ((window as unknown as { frames_: boolean[] }).frames_ = []);
    const look = () => {
      const pictures = [...document.querySelectorAll('img')].filter((it) => it.src && it.checkVisibility());
      const shown = pictures.some((it) => it.complete && it.naturalWidth > 0);
      if (shown || frames.length > 0) frames.push(shown);
      requestAnimationFrame(look);
    };
    look();
  });
  const opened = await uploaded(page, 'coffee.png');
  await expect(opened.picture).toHaveJSProperty('naturalWidth', 600);
  expect(seen.pictures).toBe(0);
  const frames = await page.evaluate(() => (window as unknown as { frames_: boolean[] }).frames_);
  expect(frames.length).toBeGreaterThan(3);
  expect(frames.filter((shown) => !shown).length).toBe(0);
});

test('drafts, the scroll position and unsent messages are restored on the way back', async ({
  page,
  request,
  allowConsole,
}) => {
  allowConsole(/net::ERR_/);
  const shared = await upload(request);
  for (let n = 1; n <= 45; n++) await post(request, shared, `message ${n}`);
  const opened = await ImagePage.open(page, shared.shortID);
  await page.route('**/messages', (route) => route.abort());
  await opened.say('not sent');
  await expect(page.getByText('Waiting for the connection')).toBeVisible();
  await page.getByRole('textbox', { name: 'Message' }).fill('a draft');
  const log = page.getByRole('log');
  await log.evaluate((it) => it.scrollTo(0, -300));
  await expect.poll(() => log.evaluate((it) => it.scrollTop)).toBe(-300);

  await page.getByRole('link', { name: 'Tonesa', exact: true }).click();
  await expect(page.getByText('Drop a picture anywhere')).toBeVisible();
  await post(request, shared, 'meanwhile');
  await page.goBack();

  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('a draft');
  await expect(page.getByText('Waiting for the connection')).toBeAttached();
  await expect.poll(() => log.evaluate((it) => Math.abs(it.scrollTop))).toBeGreaterThan(250);
  await expect(log).toContainText('meanwhile');
});

test('an unknown link has status 404', async ({ page, request }) => {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  const missing = await request.get('/u/AAAAAAAA');
  expect(missing.status()).toBe(404);
});
