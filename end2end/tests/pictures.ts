// Pictures of any size, made for a test, and what is painted of one.
import { deflateSync } from 'node:zlib';
import { expect, type APIRequestContext, type Page } from '@playwright/test';
import type { Upload } from './api';

/** A grey PNG with a darker diagonal pattern. */
export function png(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bits per sample; the colour type 0 is grey
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = (x + y) % 16 < 8 ? 90 : 200;
  }
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND')]);
}

export async function uploadPng(request: APIRequestContext, width: number, height: number): Promise<Upload> {
  const file = { name: 'made.png', mimeType: 'image/png', buffer: png(width, height) };
  const answer = await request.post('/api/uploads', {
    multipart: { file },
    headers: { accept: 'application/json' },
  });
  expect(answer.status()).toBe(201);
  return answer.json();
}

/** How many shades of green a screenshot has. */
export async function shades(page: Page, screenshot: Buffer): Promise<number> {
  return page.evaluate(async (base64) => {
    const data = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const { image } = await new ImageDecoder({ data, type: 'image/png' }).decode();
    const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight).getContext('2d')!;
    canvas.drawImage(image, 0, 0);
    const pixels = canvas.getImageData(0, 0, image.displayWidth, image.displayHeight).data;
    return new Set(pixels.filter((_, index) => index % 4 === 1)).size;
  }, screenshot.toString('base64'));
}

function chunk(type: string, data: Uint8Array = Buffer.of()): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  return Buffer.concat([number(data.length), body, number(crc32(body))]);
}

/** The checksum of a chunk (PNG specification, annex D). Node 18 has none. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
