import { expect, test } from '../fixtures';

test('the server starts, serves its page, and exits on SIGTERM', async ({ page, startServer }) => {
  const server = await startServer();
  const answer = await page.goto(server.url);
  expect(answer?.status()).toBe(200);
  await expect(page.locator('html.hydrated')).toBeAttached();
  // The typeface is loaded after the app.
  await page.waitForLoadState('networkidle');
  expect(await server.stop()).toBe(0);
});

test('a killed server can be started again at the same port', async ({ request, startServer }) => {
  const server = await startServer();
  const { url } = server;
  await server.stop('SIGKILL');
  await expect(request.get(url)).rejects.toThrow('ECONNREFUSED');
  await server.start();
  expect(server.url).toBe(url);
  expect((await request.get(url)).status()).toBe(200);
});
