import { defineConfig, devices } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  // A test that passes only when repeated has found a defect.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  timeout: 60_000,
  // Longer than the 5 s of the default: a machine that does something else besides is slow.
  expect: { timeout: 10_000 },
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
  projects: [
    { name: 'chromium', grepInvert: /@alone/, use: devices['Desktop Chrome'] },
    // Tests that measure time or look at single frames, and those that need the machine for many nodes: one at a time,
    // and after all others, since browsers in parallel slow each other down.
    { name: 'alone', grep: /@alone/, workers: 1, dependencies: ['chromium'], use: devices['Desktop Chrome'] },
  ],
});
