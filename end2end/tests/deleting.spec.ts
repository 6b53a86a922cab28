import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, messages, post, upload } from './api';
import { ImagePage } from './pages';

/** How long a deletion can be undone, and some time for it to arrive. */
const undoTime = 6_000;
const afterUndo = { timeout: undoTime + 5_000 };

const row = (page: Page, number: number) => page.locator(`#m${number}`);
const deleteButton = (page: Page, number: number) => row(page, number).getByRole('button', { name: 'Delete this message' });
const undo = (page: Page) => page.getByRole('button', { name: 'Undo' });
const deletePicture = (page: Page) => page.getByRole('button', { name: 'Delete picture' });

async function deleteMessage(page: Page, number: number) {
  await row(page, number).hover();
  await deleteButton(page, number).click();
  await expect(row(page, number)).toHaveText(/Message deleted · Undo/, { useInnerText: true });
}

/** Acts, and lets the time to undo what was deleted pass at once. Two tests wait for it. */
async function withoutWaiting(page: Page, deleteSomething: () => Promise<void>) {
  await page.clock.install();
  await deleteSomething();
  await page.clock.fastForward(undoTime);
}

/** Uploads in this browser, and returns the short id. */
async function share(page: Page, name = 'coffee.png') {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await page.locator('input[type=file][name=file]').setInputFiles(image(name));
  await expect(page).toHaveURL(/\/u\//);
  await new ImagePage(page).live();
  return page.url().split('/').pop()!;
}

async function deletePictureOf(page: Page) {
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await deletePicture(page).click();
  await expect(page.getByRole('heading', { name: 'Picture deleted' })).toBeVisible();
}

/** Sends no deletion as long as the test has not called the result; counts those that wait. */
async function holdDeletions(page: Page) {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  await page.route('**/api/uploads/**', async (route) => {
    if (route.request().method() === 'DELETE' && !isOpen) await new Promise<void>((go) => waiting.push(go));
    return route.continue();
  });
  return {
    count: () => waiting.length,
    release: () => {
      isOpen = true;
      waiting.forEach((go) => go());
    },
  };
}

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('the tap that shows what can be done with a message does none of it', async ({ page, request }) => {
    const shared = await upload(request);
    const writer = await ImagePage.open(page, shared.shortID);
    for (const text of ['one', 'two']) {
      await writer.composer.fill(text);
      await page.getByRole('button', { name: 'Send' }).tap();
    }
    const button = row(page, 2).locator('.delete-message');
    await expect(button).toBeHidden();
    const { x, width } = (await button.boundingBox())!;
    const bubble = (await row(page, 2).locator('.bubble').boundingBox())!;
    // Within the button's touch target.
    await page.touchscreen.tap(x + width / 2, bubble.y + 4);
    await expect(button).toBeVisible();
    await expect(undo(page)).toBeHidden();
    await button.tap();
    await expect(undo(page)).toBeVisible();
  });
});

test.describe('a message', () => {
  test('goes for everyone once it can no longer be undone, with its pin', async ({ page, another, request }) => {
    const shared = await upload(request);
    const writer = await ImagePage.open(page, shared.shortID);
    const reader = await ImagePage.openAsAnother(another, shared.shortID);
    for (const [text, x] of [['one', 0.2], ['two', 0.5], ['three', 0.8]] as const) {
      await writer.tap(x, 0.5);
      await writer.say(text);
    }
    await expect(reader.messages).toHaveCount(3);
    const held = await holdDeletions(page);
    const pins = (page: Page) => page.getByRole('link', { name: /^Pin \d: message by/ });

    await deleteMessage(page, 2);
    await expect(undo(page)).toBeFocused();
    await expect(page.locator('.log-frame > [role=status]').first()).toHaveText('Message deleted');
    await expect(pins(page)).toHaveText(['1', '3']);
    await expect(reader.messages).toHaveText([/one/, /two/, /three/]);
    await expect(pins(reader.page)).toHaveText(['1', '2', '3']);

    await expect.poll(held.count, { timeout: undoTime + 2_000 }).toBe(1);
    await expect(undo(page)).toHaveCount(0);
    await expect(row(page, 3)).toBeFocused();
    await expect(reader.messages).toHaveCount(3);
    held.release();
    for (const { page, messages } of [writer, reader]) {
      await expect(messages).toHaveText([/one/, /three/]);
      await expect(pins(page)).toHaveText(['1', '3']);
    }
    await expect(row(page, 3)).toBeFocused();

    // What comes later goes on with the numbers, and a reload brings nothing back.
    await writer.tap(0.5, 0.2);
    await writer.say('four');
    await expect(pins(reader.page)).toHaveText(['1', '3', '4']);
    for (const { page, messages } of [writer, reader]) {
      await page.reload();
      await expect(messages).toHaveText([/one/, /three/, /four/]);
    }
  });

  test('stays when its deletion is undone', async ({ page, another, request }) => {
    const shared = await upload(request);
    const writer = await ImagePage.open(page, shared.shortID);
    const reader = await ImagePage.openAsAnother(another, shared.shortID);
    await writer.say('a slip');
    await expect(reader.messages).toHaveText(['a slip']);
    let deletions = 0;
    page.on('request', (sent) => (deletions += Number(sent.method() === 'DELETE')));
    await page.clock.install();
    await deleteMessage(page, 1);
    await expect(writer.messages).toBeHidden();
    await page.keyboard.press('Enter');
    await expect(writer.messages).toBeVisible();
    await expect(row(page, 1)).toBeFocused();
    await page.clock.runFor(2 * undoTime);
    await expect(reader.messages).toHaveText(['a slip']);
    expect(deletions).toBe(0);
  });

  test('of somebody else cannot be deleted, but by who shared the picture', async ({ page, another }) => {
    const shortID = await share(page);
    const writer = await ImagePage.openAsAnother(another, shortID);
    const owner = new ImagePage(page);
    await owner.say('by the owner');
    await expect(writer.messages).toHaveCount(1);
    await writer.say('by somebody');
    await expect(owner.messages).toHaveCount(2);
    await row(writer.page, 2).hover();
    await expect(deleteButton(writer.page, 2)).toBeVisible();
    await row(writer.page, 1).hover();
    await expect(row(writer.page, 1).getByRole('button', { name: 'Copy link to this message' })).toBeVisible();
    await expect(deleteButton(writer.page, 1)).toHaveCount(0);

    await withoutWaiting(page, () => deleteMessage(page, 2));
    await expect(writer.messages).toHaveText(['by the owner']);
    await expect(owner.messages).toHaveText(['by the owner']);
  });

  test('goes at once when the page is left', async ({ page, another, request }) => {
    const shared = await upload(request);
    const writer = await ImagePage.open(page, shared.shortID);
    const reader = await ImagePage.openAsAnother(another, shared.shortID);
    for (const text of ['stays', 'left for another page', 'left by a reload', 'left for another site']) await writer.say(text);
    await expect(reader.messages).toHaveCount(4);
    const soon = { timeout: undoTime - 1_500 };

    await deleteMessage(page, 2);
    await page.getByRole('link', { name: 'New picture' }).click();
    await expect(reader.messages).toHaveText([/stays/, /reload/, /site/], soon);
    await page.goBack();
    await expect(writer.messages).toHaveText([/stays/, /reload/, /site/]);

    await deleteMessage(page, 3);
    await page.reload();
    await expect(reader.messages).toHaveText([/stays/, /site/], soon);
    await expect(writer.messages).toHaveText([/stays/, /site/]);

    await deleteMessage(page, 4);
    await page.goto('about:blank');
    await expect(reader.messages).toHaveText([/stays/], soon);
  });

  test('comes back when it cannot be deleted, and can be tried again', async ({ page, request, allowConsole }) => {
    allowConsole(/503/);
    const shared = await upload(request);
    const writer = await ImagePage.open(page, shared.shortID);
    await writer.say('stubborn');
    await expect.poll(async () => (await messages(request, shared)).length).toBe(1);
    let isBroken = true;
    await page.route(/\/messages\/1\?id=/, (route) => (isBroken ? route.fulfill({ status: 503 }) : route.continue()));
    await withoutWaiting(page, () => deleteMessage(page, 1));
    await expect(page.getByText('Not deleted. The server is having trouble.')).toBeVisible();
    await expect(writer.messages).toBeVisible();
    isBroken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(writer.messages).toHaveCount(0, { timeout: undoTime - 1_500 });
    await expect(page.getByText(/^Not deleted/)).toHaveCount(0);
  });
});

test.describe('a picture', () => {
  test('is gone for everyone once that can no longer be undone', async ({ page, another, request, allowConsole, browser }) => {
    allowConsole(/410/);
    const shortID = await share(page);
    const reader = await ImagePage.openAsAnother(another, shortID);
    const gone = (page: Page) => page.getByRole('heading', { name: 'This picture is gone' });

    // Undone once.
    await deletePictureOf(page);
    await expect(undo(page)).toBeFocused();
    await page.keyboard.press('Enter');
    await new ImagePage(page).live();
    await expect(new ImagePage(page).picture).toBeVisible();

    await deletePictureOf(page);
    await expect(reader.picture).toBeVisible();
    await expect(gone(page)).toBeVisible(afterUndo);
    await expect(gone(reader.page)).toBeVisible();
    expect((await request.get(`/i/${shortID}`)).status()).toBe(410);
    for (const javaScriptEnabled of [true, false]) {
      const context = await browser.newContext({ javaScriptEnabled, baseURL: new URL(page.url()).origin });
      const visitor = await context.newPage();
      const answer = await visitor.goto(`/u/${shortID}`);
      expect(answer!.status()).toBe(410);
      await expect(gone(visitor)).toBeVisible();
      await context.close();
    }
    await page.goto('/');
    await expect(page.locator('html.hydrated')).toBeAttached();
    await expect(page.locator('.own-pictures')).toBeHidden();
  });

  test('can be deleted from the list, and is forgotten', async ({ page, request, allowConsole }) => {
    allowConsole(/503/);
    // At the end the page may ask for the picture while it is being deleted.
    allowConsole(/410/);
    const [first, second] = [await share(page), await share(page, 'grey.jpg')];
    await page.goto('/');
    const item = (shortID: string) => page.locator(`[data-picture="${shortID}"]`);
    let isBroken = true;
    await page.route(`**/api/uploads/${second}`, (route) => {
      return route.request().method() === 'DELETE' && isBroken ? route.fulfill({ status: 503 }) : route.continue();
    });

    await withoutWaiting(page, async () => {
      await item(second).getByRole('button', { name: 'Delete picture' }).click();
      await expect(item(second).getByRole('button', { name: 'Undo' })).toBeFocused();
      await expect(item(second).getByRole('link')).toHaveCount(0);
    });
    await expect(item(second).getByText('Not deleted. The server is having trouble.')).toBeVisible();
    await expect(item(second).getByRole('link')).toBeVisible();
    isBroken = false;
    await item(second).getByRole('button', { name: 'Try again' }).click();
    await expect(item(second)).toHaveCount(0);
    expect((await request.get(`/u/${second}`)).status()).toBe(410);

    await item(first).getByRole('button', { name: 'Delete picture' }).click();
    await item(first).getByRole('button', { name: 'Undo' }).click();
    await expect(item(first).getByRole('button', { name: 'Delete picture' })).toBeFocused();
    await page.reload();
    await expect(item(first)).toBeVisible();
    await expect(item(second)).toHaveCount(0);
    expect((await request.get(`/u/${first}`)).status()).toBe(200);

    // Left before its time is up.
    await item(first).getByRole('button', { name: 'Delete picture' }).click();
    await page.reload();
    await expect.poll(async () => (await request.get(`/u/${first}`)).status(), { timeout: undoTime - 1_500 }).toBe(410);
  });

  test('comes back when it cannot be deleted, and says why', async ({ page, allowConsole }) => {
    allowConsole(/403/);
    const shortID = await share(page);
    await page.route(`**/api/uploads/${shortID}`, (route) => {
      const body = { type: '/problems/x', title: 'Not yours', status: 403, detail: 'Only its owner can delete it.' };
      return route.request().method() === 'DELETE' ? route.fulfill({ status: 403, json: body }) : route.continue();
    });
    await withoutWaiting(page, () => deletePictureOf(page));
    await expect(page.getByRole('alert').getByText('Not deleted. Only its owner can delete it.')).toBeVisible();
    await expect(new ImagePage(page).picture).toBeVisible();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await expect(page.getByText(/^Not deleted/)).toBeHidden();
  });

  test('of somebody else cannot be deleted', async ({ page, request }) => {
    const shared = await upload(request);
    await post(request, shared, 'Hello');
    await ImagePage.open(page, shared.shortID);
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await expect(page.getByRole('textbox', { name: 'Link to this page' })).toBeVisible();
    await expect(deletePicture(page)).toBeHidden();
  });
});
