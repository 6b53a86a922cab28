import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { post, upload } from './api';
import { ImagePage } from './pages';

/** What extensions, translators and proxies do to a page. */
const changes: Record<string, () => void> = {
  'an element first in body': () => document.body.prepend(document.createElement('div')),
  'an element after the picture': () => document.querySelector('.picture img')!.after(document.createElement('div')),
  'an element after the text field': () => document.querySelector('#message')!.after(document.createElement('button')),
  'an element in the list': () => document.querySelector('.log-content')!.prepend(document.createElement('p')),
  'texts in font elements': () => {
    const walker = document.createTreeWalker(document.getElementById('app')!, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts) {
      const font = document.createElement('font');
      text.replaceWith(font);
      font.append(text);
    }
  },
  'no comments': () => {
    const walker = document.createTreeWalker(document.getElementById('app')!, NodeFilter.SHOW_COMMENT);
    const comments: Comment[] = [];
    while (walker.nextNode()) comments.push(walker.currentNode as Comment);
    for (const comment of comments) comment.remove();
  },
};

async function talks(page: Page, say: (text: string) => Promise<void>) {
  const opened = new ImagePage(page);
  await opened.live();
  await expect(page.getByRole('log')).toContainText('said before');
  await say('from elsewhere');
  await expect(page.getByRole('log')).toContainText('from elsewhere');
  await page.getByRole('textbox', { name: 'Message' }).fill('from here');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('log')).toContainText('from here');
  await opened.picture.click();
  await expect(page.locator('.ripple')).not.toHaveCount(0);
}

for (const [name, change] of Object.entries(changes)) {
  test(`with ${name} before the program comes, the page is live, and says so once`, async ({
    page,
    request,
    allowConsole,
  }) => {
    // The second is Leptos' own, of debug builds: it does not expect an app that hydrates to be mounted.
    allowConsole(/changed the page|client-side rendering/);
    const warnings: string[] = [];
    page.on('console', (message) => /changed the page/.test(message.text()) && warnings.push(message.text()));
    const shared = await upload(request);
    await post(request, shared, 'said before');
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/*.wasm', async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`/u/${shared.shortID}`, { waitUntil: 'domcontentloaded' });
    await page.locator('#message').fill('typed early');
    await page.evaluate(change);
    release();
    await expect(page.locator('html.hydrated')).toBeAttached();
    await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('typed early');
    await talks(page, (text) => post(request, shared, text).then(() => {}));
    expect(warnings.length).toBe(name === 'an element first in body' ? 0 : 1);
  });
}

for (const [name, change] of Object.entries(changes).filter(([name]) => name !== 'no comments')) {
  test(`with ${name} after the program has come, the page stays live`, async ({ page, request }) => {
    const shared = await upload(request);
    await post(request, shared, 'said before');
    await ImagePage.open(page, shared.shortID);
    await page.evaluate(change);
    await talks(page, (text) => post(request, shared, text).then(() => {}));
  });
}
