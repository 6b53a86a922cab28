// Files that come from outside of the page.
import { expect, type Page } from '@playwright/test';

export interface FilePayload {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

/** What a drag or the clipboard brings. */
export function transferOf(page: Page, files: FilePayload[]) {
  return page.evaluateHandle(
    (files) => {
      const transfer = new DataTransfer();
      for (const { name, mimeType, base64 } of files) {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: mimeType }));
      }
      return transfer;
    },
    files.map(({ name, mimeType, buffer }) => ({ name, mimeType, base64: buffer.toString('base64') })),
  );
}

/** Drops or pastes files from outside of the page. */
export async function dropOrPaste(page: Page, how: 'drop' | 'paste', files: FilePayload[]) {
  const transfer = await transferOf(page, files);
  if (how === 'drop') {
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
    await expect(page.locator('.drop-cover.shown')).toBeVisible();
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  } else {
    await page.evaluate((transfer) => {
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));
    }, transfer);
  }
}
