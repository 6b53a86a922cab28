// Screenshots for people.
import { type Page, type PageScreenshotOptions } from '@playwright/test';
import { test } from '../fixtures';

/**
 * Writes a screenshot to the test's results if TONESA_SCREENSHOTS is set. Nothing depends on it, and a busy Chromium
 * sometimes never answers, which would fail the test.
 */
export async function screenshot(page: Page, name: string, options: PageScreenshotOptions = {}) {
  if (!process.env.TONESA_SCREENSHOTS) return;
  await page.screenshot({ path: test.info().outputPath(`${name}.png`), ...options });
}
