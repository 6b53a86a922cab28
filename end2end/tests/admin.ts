// The pages of who runs the server, and the form to report an upload.
import { expect, type Page } from '@playwright/test';
import type { Environment } from '../server';

export const token = 'an-admin-token-of-many-letters';

/** Settings with which there are these pages. */
export const withAdmin: Environment = { TONESA_ADMIN_TOKEN: token };

export const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true });

export async function signIn(page: Page, given = token) {
  await page.goto('/admin/sign-in');
  await page.getByRole('textbox', { name: 'Admin token' }).fill(given);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The item of an upload in a list. */
export const itemOf = (page: Page, shortID: string) =>
  page.locator('.admin-uploads > li').filter({ has: page.getByRole('link', { name: `/u/${shortID}`, exact: true }) });

/** Opens the page of an upload and its conversation. */
export async function openConversation(page: Page, shortID: string) {
  await page.goto('/admin?all=1');
  await itemOf(page, shortID).getByRole('link', { name: 'Conversation' }).click();
  await expect(heading(page, 'Conversation')).toBeVisible();
}

/** Sends the form that the page of an upload leads to. */
export async function report(page: Page, shortID: string, reason: string) {
  await page.goto(`/u/${shortID}`);
  await page.getByRole('link', { name: 'Report picture' }).click();
  await page.getByRole('textbox', { name: 'What is wrong?' }).fill(reason);
  await page.getByRole('button', { name: 'Send the report' }).click();
}
