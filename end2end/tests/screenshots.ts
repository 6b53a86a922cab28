// Screenshots for people. No test depends on them, and a busy Chromium sometimes never answers, which would fail a test.
import { join } from 'node:path';
import { type Page } from '@playwright/test';

const folder = process.env.TONESA_SCREENSHOTS;

/** Writes a screenshot into the folder that TONESA_SCREENSHOTS names, if it is set. */
export async function screenshot(page: Page, name: string, animations: 'allow' | 'disabled' = 'disabled') {
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), animations });
}
