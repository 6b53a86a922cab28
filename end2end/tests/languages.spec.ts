import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, post, upload } from './api';
import { screenshot } from './screenshots';

interface Words {
  locale: string;
  lang: string;
  heading: string;
  choose: string;
  onlyImages: string;
  message: string;
  live: string;
  pointsAt: string;
  today: string;
  send: string;
  tooLong: RegExp;
  nothing: string;
}

const languages: Words[] = [
  {
    locale: 'de-AT',
    lang: 'de',
    heading: 'Gemeinsam auf ein Bild zeigen.',
    choose: 'Bild auswählen',
    onlyImages: 'Nur PNG-, JPEG-, GIF- und WebP-Bilder können geteilt werden.',
    message: 'Nachricht',
    live: 'Live',
    pointsAt: 'zeigt auf eine Stelle unten rechts',
    today: 'Heute',
    send: 'Senden',
    tooLong: /^Höchstens 2000 Zeichen sind erlaubt/,
    nothing: 'Unter diesem Link gibt es nichts',
  },
  {
    locale: 'es-ES',
    lang: 'es',
    heading: 'Señalar juntos una imagen.',
    choose: 'Elegir una imagen',
    onlyImages: 'Solo se pueden compartir imágenes PNG, JPEG, GIF y WebP.',
    message: 'Mensaje',
    live: 'En vivo',
    pointsAt: 'señala un punto abajo a la derecha',
    today: 'Hoy',
    send: 'Enviar',
    tooLong: /^Se permiten como máximo 2000 caracteres/,
    nothing: 'En este enlace no hay nada',
  },
];

/** The texts that a page's document carries for the app. */
async function table(request: APIRequestContext, lang: string): Promise<string[]> {
  const page = await (await request.get('/', { headers: { 'accept-language': lang } })).text();
  return JSON.parse(/<script type="application\/json" id="texts">(.*?)<\/script>/s.exec(page)![1]);
}

/** What people see or hear of the page: its texts, and the attributes that stand for texts. */
function textsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const texts = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement!.closest('script')) texts.push(walker.currentNode.nodeValue!);
    }
    for (const name of ['aria-label', 'placeholder', 'alt', 'title']) {
      for (const element of document.querySelectorAll(`[${name}]`)) texts.push(element.getAttribute(name)!);
    }
    return texts.map((text) => text.trim());
  });
}

/** Expects no text of the English table that the page's language has a text of its own for. */
async function expectNoEnglish(page: Page, request: APIRequestContext) {
  const lang = await page.evaluate(() => document.documentElement.lang);
  const [english, own] = [await table(request, 'en'), await table(request, lang)];
  expect(own).toHaveLength(english.length);
  const escaped = (text: string) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  const patterns = english
    .filter((text) => !own.includes(text) && !/^\W*(\{\w+\}\W*)+$/.test(text))
    .map((text) => new RegExp(`^${escaped(text).replace(/\{\w+\}/g, '.+')}$`));
  const texts = await textsOf(page);
  expect(texts.length).toBeGreaterThan(5);
  expect(texts.filter((text) => patterns.some((pattern) => pattern.test(text)))).toEqual([]);
}

for (const words of languages) {
  test.describe(words.locale, () => {
    test.use({ locale: words.locale });

    const live = (page: Page) => expect(page.locator('.status')).toHaveText(words.live);

    test('an image is uploaded, pointed at and talked about', async ({ page, another, request, allowConsole }) => {
      allowConsole(/415/);
      await page.goto('/');
      await expect(page.locator('html')).toHaveAttribute('lang', words.lang);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.heading);
      await expectNoEnglish(page, request);
      const field = page.getByLabel(words.choose);
      await field.setInputFiles({ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
      await expect(page.getByRole('alert').filter({ hasText: words.onlyImages })).toBeVisible();
      await field.setInputFiles(image('coffee.png'));
      await expect(page).toHaveURL(/\/u\/\w{8}$/);
      await live(page);
      const composer = page.getByRole('textbox', { name: words.message });
      await composer.fill('¡Café, größer!');
      await composer.press('Enter');
      await expect(page.locator('.day')).toHaveText(words.today);

      // The document that the server renders is hydrated without a warning, and shows the same.
      const other = await another.newPage();
      await other.goto(page.url());
      await live(other);
      await expect(other.locator('.day')).toHaveText(words.today);
      const box = (await page.locator('.picture img').boundingBox())!;
      await page.mouse.click(box.x + 0.9 * box.width, box.y + 0.9 * box.height);
      await expect(other.locator('.stage [aria-live]')).toContainText(words.pointsAt);
      await expectNoEnglish(page, request);
      await expectNoEnglish(other, request);

      await page.goBack();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.heading);
      await expect(page.locator('.own-pictures li')).toBeVisible();
      await expectNoEnglish(page, request);
      await page.goForward();
      await live(page);
    });

    test('the pages fit into a narrow window', async ({ page, request }) => {
      await page.setViewportSize({ width: 320, height: 640 });
      await page.goto('/');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      const shared = await upload(request);
      await post(request, shared, 'Is that foam?', 'Mira', { x: 0.38, y: 0.3 });
      await page.goto(`/u/${shared.shortID}`);
      await live(page);
      await screenshot(page, 'narrow');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      const outside = await page.locator('.header *, .zoom-bar *, .composer *').evaluateAll((elements) =>
        elements
          .filter((it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest('.visually-hidden, .skip'))
          .filter((it) => it.getBoundingClientRect().width > 1 && it.getBoundingClientRect().right > innerWidth + 1)
          .map((it) => it.outerHTML),
      );
      expect(outside).toEqual([]);
    });

    test('an address without a page says so', async ({ page, request, allowConsole }) => {
      allowConsole(/404/);
      await page.goto('/u/AAAAAAAA');
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.nothing);
      await expectNoEnglish(page, request);
    });

    test.describe('without scripts', () => {
      test.use({ javaScriptEnabled: false });

      test('a refused message is explained', async ({ page, request, allowConsole }) => {
        allowConsole(/422/);
        const shared = await upload(request);
        await page.goto(`/u/${shared.shortID}`);
        await expect(page.locator('html')).toHaveAttribute('lang', words.lang);
        await page.getByRole('textbox', { name: words.message }).fill('x'.repeat(2_001));
        await page.getByRole('button', { name: words.send }).click();
        await expect(page.locator('html')).toHaveAttribute('lang', words.lang);
        await expect(page.getByText(words.tooLong)).toBeVisible();
        await expect(page.getByRole('button', { name: words.send })).toBeVisible();
      });
    });
  });
}

test.describe('a language without texts', () => {
  test.use({ locale: 'fr-FR' });

  test('gets English', async ({ page }) => {
    await page.goto('/');
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Point at a picture, together.');
  });
});
