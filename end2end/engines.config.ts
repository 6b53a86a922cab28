import { defineConfig } from '@playwright/test';

// The tests in Firefox and WebKit: Playwright's test runner, with the browsers' own drivers.
export default defineConfig({
  testDir: 'engines',
  outputDir: 'test-results/engines',
  retries: 0,
  workers: 1,
  timeout: 30_000,
  globalTimeout: 10 * 60_000,
  forbidOnly: true,
  reporter: 'list',
  projects: [{ name: 'firefox' }, { name: 'webkit' }],
});
