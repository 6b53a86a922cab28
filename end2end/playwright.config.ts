import { defineConfig, devices } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  // A test that only passes when tried again tells of a fault.
  retries: 0,
  // Some tests measure time; two browsers on two cores would measure each other.
  workers: 1,
  timeout: 30_000,
  globalTimeout: 20 * 60_000,
  forbidOnly: true,
  reporter: 'list',
  use: {
    screenshot: 'only-on-failure',
    launchOptions: {
      // Playwright's own Chromium unless told; `cargo xtask test` names the one it found.
      executablePath: process.env.CHROMIUM || undefined,
      // People's browsers keep pages for going back; Playwright has them made anew unless told.
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
      args: [
        // What Chromium does by itself only takes time from the tests. (It has no sandbox here: Playwright's default,
        // and root could not have one.)
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-gpu',
        '--disable-quic',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  projects: [{ name: 'chromium', use: devices['Desktop Chrome'] }],
});
