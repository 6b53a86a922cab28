import { expect, type Page } from '@playwright/test';
import { test } from '../fixtures';
import { image, imagePayload, upload } from './api';
import { ImagePage } from './pages';

/** A picture as the browser decodes it. */
interface Decoded {
  size: string;
  /** A digest of the pixels that an <img> shows first. */
  still: string;
  /** For each frame that decodes its duration and a digest of its pixels. */
  frames: string[];
}

/** Decodes the picture at this URL in the browser; undefined if the browser cannot show it. */
async function decode(page: Page, url: string): Promise<Decoded | undefined> {
  return page.evaluate(async (url) => {
    const digest = async (source: CanvasImageSource, width: number, height: number) => {
      const canvas = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
      canvas.drawImage(source, 0, 0);
      const sum = await crypto.subtle.digest('SHA-256', canvas.getImageData(0, 0, width, height).data);
      return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    const img = new Image();
    const shown = new Promise<boolean>((settle) => {
      img.onload = () => settle(true);
      img.onerror = () => settle(false);
    });
    img.src = url;
    if (!(await shown)) return undefined;
    const { naturalWidth: width, naturalHeight: height } = img;
    const answer = await fetch(url);
    const type = answer.headers.get('content-type')!;
    const decoder = new ImageDecoder({ data: await answer.arrayBuffer(), type });
    await Promise.all([decoder.completed, decoder.tracks.ready]);
    const frames: string[] = [];
    for (let frameIndex = 0; frameIndex < decoder.tracks.selectedTrack!.frameCount; frameIndex++) {
      // A truncated frame is shown in part, which `still` covers.
      const decoded = await decoder.decode({ frameIndex }).catch(() => undefined);
      if (!decoded) break;
      const { duration, displayWidth, displayHeight } = decoded.image;
      frames.push(`${duration} ${await digest(decoded.image, displayWidth, displayHeight)}`);
    }
    return { size: `${width} × ${height}`, still: await digest(img, width, height), frames };
  }, url);
}

/** Decodes one of our files before it is uploaded, with `end` appended. */
async function decodeOriginal(page: Page, name: string, end = Buffer.of()) {
  const { mimeType, buffer } = imagePayload(name);
  const body = Buffer.concat([buffer, end]);
  await page.route('**/original', (route) => route.fulfill({ contentType: mimeType, body }));
  const decoded = await decode(page, '/original');
  await page.unroute('**/original');
  return decoded;
}

for (const name of [
  'p05-iccp-bad-crc-gimp.png',
  'p01-bad-adler.png',
  'a01-actl-says-3.png',
  'g02-nul-between.gif',
  'g03-frame-larger.gif',
  'g06-short-data.gif',
  'j01-sample-3x1.jpg',
  'j17-no-eoi.jpg',
  'w06-alpha-flag-missing.webp',
  'v01-transparent-black.png',
]) {
  test(`${name} is accepted and looks the same`, async ({ page, request }) => {
    await page.goto('/');
    // Without an end marker Chromium waits for more and leaves out the last rows, although all of them are there.
    const end = name === 'j17-no-eoi.jpg' ? Buffer.of(0xff, 0xd9) : undefined;
    const original = (await decodeOriginal(page, `odd/${name}`, end))!;
    const { content } = await upload(request, `odd/${name}`);
    const served = (await decode(page, new URL(content.url, page.url()).pathname))!;
    expect(served.size).toBe(original.size);
    expect(`${content.width} × ${content.height}`).toBe(original.size);
    expect(served.still).toBe(original.still);
    // A broken animation becomes a still picture.
    if (name === 'a01-actl-says-3.png') expect(served.frames).toHaveLength(1);
    else expect(served.frames).toEqual(original.frames);
  });
}

test('a frame that is never shown is refused with a sentence', async ({ page, request, allowConsole }) => {
  allowConsole(/./);
  await page.goto('/');
  expect(await decodeOriginal(page, 'odd/w14-vp8-noshow.webp')).toBeUndefined();
  const answer = await request.post('/api/uploads', {
    multipart: { file: imagePayload('odd/w14-vp8-noshow.webp') },
    headers: { accept: 'application/json' },
  });
  expect(answer.status()).toBe(422);
  expect(await answer.text()).toContain('This WebP picture is damaged');
});

test('a picture without a file extension is recognised by its bytes', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('html.hydrated')).toBeAttached();
  await page.locator('input[type=file][name=file]').setInputFiles(image('odd/client-refused-no-extension'));
  await expect(page).toHaveURL(/\/u\/[A-Za-z0-9]{8}$/);
  const opened = new ImagePage(page);
  await expect(opened.picture).toHaveJSProperty('naturalWidth', 161);
  await opened.live();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('black on a transparent background is visible', async ({ page, request }) => {
      const shared = await upload(request, 'odd/v01-transparent-black.png');
      const { picture } = await ImagePage.open(page, shared.shortID);
      await expect(picture).toHaveJSProperty('complete', true);
      const path = test.info().outputPath('picture.png');
      const screenshot = (await picture.screenshot({ path })).toString('base64');
      const parts = await page.evaluate(async (base64) => {
        const data = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const { image } = await new ImageDecoder({ data, type: 'image/png' }).decode();
        const { displayWidth: width, displayHeight: height } = image;
        const canvas = new OffscreenCanvas(width, height).getContext('2d')!;
        canvas.drawImage(image, 0, 0);
        const greens = canvas.getImageData(0, 0, width, height).data.filter((_, index) => index % 4 === 1);
        const part = (is: (green: number) => boolean) => greens.filter(is).length / greens.length;
        return { black: part((green) => green < 40), light: part((green) => green > 200) };
      }, screenshot);
      expect(parts.black).toBeGreaterThan(0.01);
      expect(parts.light).toBeGreaterThan(0.3);
    });
  });
}
