import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, imagePayload, post, upload } from './api';
import { transferOf } from './files';
import { ImagePage } from './pages';

const own = (page: Page) => page.locator('.own-pictures');

async function share(page: Page, name: string) {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await page.locator('input[type=file][name=file]').setInputFiles(image(name));
  await expect(page).toHaveURL(/\/u\//);
  await new ImagePage(page).live();
  return page.url().split('/').pop()!;
}

interface Shift {
  value: number;
  sources: { node?: Node }[];
}

/** Measures layout shifts from the first paint on: their sum, and what moved. */
async function observeShifts(page: Page) {
  await page.addInitScript(() => {
    const seen = { sum: 0, moved: [] as string[] };
    Object.assign(window, { shift_: seen });
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as unknown as Shift[]) {
        seen.sum += value;
        seen.moved.push(...sources.map(({ node }) => `${value}: ${(node as Element)?.outerHTML ?? node?.textContent}`));
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  return () => page.evaluate(() => (window as unknown as { shift_: { sum: number; moved: string[] } }).shift_);
}

async function expectNoShifts(shifts: () => Promise<{ sum: number; moved: string[] }>) {
  const { sum, moved } = await shifts();
  expect(sum, moved.join('\n')).toBeLessThan(0.01);
}

test('pictures uploaded in this browser are listed, newest first, and can be forgotten', async ({ page, another }) => {
  const first = await share(page, 'coffee.png');
  const second = await share(page, 'grey.jpg');
  await page.getByRole('link', { name: 'New picture' }).click();
  const links = own(page).getByRole('link');
  await expect(links).toHaveCount(2);
  await expect(links.nth(0)).toHaveAttribute('href', `/u/${second}`);
  await expect(links.nth(1)).toHaveAttribute('href', `/u/${first}`);
  await expect(links.nth(0)).toContainText('Today');
  await expect(links.nth(0).getByRole('img')).toHaveJSProperty('naturalWidth', 451);

  await own(page).getByRole('button', { name: 'Remove from this list' }).first().click();
  await expect(links).toHaveCount(1);
  await page.reload();
  await expect(links).toHaveCount(1);
  await links.click();
  await expect(page).toHaveURL(new RegExp(`${first}$`));

  const theirs = await another.newPage();
  await theirs.goto('/');
  await expect(theirs.locator('html.hydrated')).toBeAttached();
  await expect(own(theirs)).toBeHidden();
});

test('a picture that was uploaded by the plain form is listed, and one that a link leads to is not', async ({ page, request }) => {
  const shared = await upload(request);
  await page.goto(`/u/${shared.shortID}`);
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  const transfer = await transferOf(page, [imagePayload('grey.jpg')]);
  await page.evaluate((transfer) => {
    const field = document.querySelector<HTMLInputElement>('input[type=file][name=file]')!;
    field.files = transfer.files;
    field.form!.submit();
  }, transfer);
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
  const address = new URL(page.url()).pathname;
  await new ImagePage(page).live();
  expect(await page.evaluate(() => document.cookie)).toBe('');
  await page.reload();
  await new ImagePage(page).live();
  await page.getByRole('link', { name: 'New picture' }).click();
  await expect(own(page).getByRole('link')).toHaveCount(1);
  await expect(own(page).getByRole('link')).toHaveAttribute('href', address);
});

test('a picture that is gone is shown as gone, and one that fails to load is not', async ({ page, request, allowConsole }) => {
  allowConsole(/404|net::ERR_/);
  const shared = await upload(request);
  await page.route(`**${shared.content.url}*`, (route) => route.abort());
  const stored = `${shared.shortID} ${Date.now()}\nzzzzzzzz ${Date.now()}\n`;
  await page.addInitScript((stored) => localStorage.setItem('tonesa.pictures', stored), stored);
  const checked = page.waitForResponse(`**/api/uploads/${shared.shortID}`);
  await page.goto('/');
  await expect(own(page).getByRole('link').nth(1)).toContainText('No longer there');
  await checked;
  await expect(own(page).getByRole('link').nth(0)).toContainText('Today');
});

test('the image itself is listed where the server makes no smaller picture', async ({ page, request, allowConsole }) => {
  allowConsole(/503/);
  const shared = await upload(request);
  await page.route(`**${shared.content.url}?w=640`, (route) => route.fulfill({ status: 503 }));
  const stored = `${shared.shortID} ${Date.now()}\n`;
  await page.addInitScript((stored) => localStorage.setItem('tonesa.pictures', stored), stored);
  await page.goto('/');
  await expect(own(page).getByRole('img')).toHaveJSProperty('naturalWidth', 600);
});

for (const viewport of [{ width: 390, height: 844 }, { width: 1280, height: 800 }]) {
  test(`nothing moves while the home page starts, ${viewport.width} px`, async ({ page, request }) => {
    await page.setViewportSize(viewport);
    const shared = await upload(request);
    const stored = Array.from({ length: 8 }, (_, n) => `${shared.shortID.slice(0, 7)}${n} 0\n`).join('');
    await page.route('**/i/*?w=640', (route) => route.fulfill({ path: image('coffee.png') }));
    await page.addInitScript((stored) => localStorage.setItem('tonesa.pictures', stored), stored);
    const shifts = await observeShifts(page);
    await page.goto('/');
    await expect(own(page)).toBeVisible();
    await page.evaluate(() => document.fonts.ready);
    expect(await page.evaluate(() => document.fonts.check('16px Inter'))).toBe(true);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await expectNoShifts(shifts);
  });
}

test('the typeface is loaded once the app runs, and moves nothing on the image page', async ({ page, request }) => {
  const shared = await upload(request);
  const shifts = await observeShifts(page);
  let fonts = 0;
  page.on('request', (request) => (fonts += Number(request.url().endsWith('.woff2'))));
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/*.wasm', async (route) => (await held, route.continue()));
  await page.goto(`/u/${shared.shortID}`);
  const opened = new ImagePage(page);
  await expect(opened.picture).toHaveJSProperty('complete', true);
  expect(fonts).toBe(0);
  release();
  await opened.live();
  await expect.poll(() => fonts).toBe(1);
  await page.evaluate(() => document.fonts.ready);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await expectNoShifts(shifts);
});

test('the demonstration is shown at its end with reduced motion', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/');
  const demo = page.locator('.demo');
  await expect(demo.getByText('Same light here')).toHaveCSS('opacity', '1');
  await expect(demo.locator('.demo-point b').first()).toBeVisible();
  expect(await demo.evaluate((it) => it.getAnimations({ subtree: true }).length)).toBe(0);
});

test('Send is strong only when there is something to send', async ({ page, request }) => {
  const shared = await upload(request);
  const opened = await ImagePage.open(page, shared.shortID);
  const background = () => page.getByRole('button', { name: 'Send' }).evaluate((it) => getComputedStyle(it).backgroundColor);
  await expect.poll(background).toBe('rgba(0, 0, 0, 0)');
  await opened.composer.fill('words');
  await expect.poll(background).toBe('rgb(24, 24, 27)');
});

test('a new message settles in, and those that were there do not move', async ({ page, request }) => {
  const shared = await upload(request);
  await post(request, shared, 'There before');
  await page.addInitScript(() => {
    const moved: string[] = ((window as unknown as { moved_: string[] }).moved_ = []);
    document.addEventListener('transitionrun', ({ target }) => {
      if (target instanceof Element && target.matches('.message')) moved.push(target.textContent!);
    });
  });
  const opened = await ImagePage.open(page, shared.shortID);
  await post(request, shared, 'New');
  await expect(opened.messages).toHaveCount(2);
  const moved = () => page.evaluate(() => (window as unknown as { moved_: string[] }).moved_);
  await expect.poll(async () => (await moved()).length).toBeGreaterThan(0);
  expect((await moved()).filter((text) => !text.includes('New'))).toEqual([]);
});
