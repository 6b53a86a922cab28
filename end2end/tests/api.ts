// Calls of the HTTP API, to prepare data and to check what a page has stored.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, type APIRequestContext } from '@playwright/test';

export const images = join(__dirname, '..', 'images');

export interface Upload {
  id: string;
  shortID: string;
  content: { url: string; mediaType: string; size: number; width: number; height: number };
}

export interface Message {
  id: string;
  seq: number;
  authorName: string;
  content: string;
  clientMessageID: string;
  createdAt: string;
  at?: { x: number; y: number };
}

const types: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' };

export const image = (name: string) => join(images, name);

export function imagePayload(name: string) {
  const file = image(name);
  return { name: basename(file), mimeType: types[name.split('.').pop()!], buffer: readFileSync(file) };
}

export async function upload(request: APIRequestContext, name = 'coffee.png'): Promise<Upload> {
  const answer = await request.post('/api/uploads', {
    multipart: { file: imagePayload(name) },
    headers: { accept: 'application/json' },
  });
  expect(answer.status()).toBe(201);
  return answer.json();
}

let posts = 0;

export async function post(
  request: APIRequestContext,
  upload: Upload,
  content: string,
  authorName = 'Elsewhere',
  at?: { x: number; y: number },
): Promise<Message> {
  const answer = await request.post(`/api/uploads/${upload.id}/messages`, {
    data: { authorName, content, clientMessageID: `test-${process.pid}-${posts++}`, at },
  });
  expect(answer.status()).toBe(201);
  return answer.json();
}

export async function messages(request: APIRequestContext, upload: { shortID: string }): Promise<Message[]> {
  const answer = await request.get(`/api/uploads/${upload.shortID}/messages?after=0&limit=200`);
  return (await answer.json()).messages;
}
