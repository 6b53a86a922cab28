import { defineConfig, devices } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  // A test that passes only when repeated has found a defect.
  retries: 0,
  // Some tests measure time; browsers in parallel would slow each other down.
  workers: 1,
  timeout: 30_000,
  globalTimeout: 40 * 60_000,
  forbidOnly: true,
  reporter: 'list',
  use: {
    screenshot: 'only-on-failure',
    launchOptions: {
      // Playwright's own Chromium by default; `cargo xtask test` sets the one it found.
      executablePath: process.env.CHROMIUM || undefined,
      // Browsers keep pages in the back/forward cache; Playwright disables it by default.
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
      args: [
        // Chromium's background activity only slows the tests down.
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
