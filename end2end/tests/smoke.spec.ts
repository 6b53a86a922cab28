import { expect, test } from '../fixtures';

test('the server starts, serves its page, and leaves when it is told to', async ({ page, startServer }) => {
  const server = await startServer();
  const answer = await page.goto(server.url);
  expect(answer?.status()).toBe(200);
  await expect(page.locator('html.hydrated')).toBeAttached();
  expect(await server.stop()).toBe(0);
});

test('a server that was killed comes back at the same address', async ({ request, startServer }) => {
  const server = await startServer();
  const { url } = server;
  await server.stop('SIGKILL');
  await expect(request.get(url)).rejects.toThrow('ECONNREFUSED');
  await server.start();
  expect(server.url).toBe(url);
  expect((await request.get(url)).status()).toBe(200);
});
