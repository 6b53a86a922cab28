// Movements of the mouse whose meaning depends on time: a mouse that is held still for a moment draws, and a second tap
// that comes late is another one. All events of a movement are sent at once, since on a slow machine much time passes
// between two calls of `page.mouse`.
import type { Page } from '@playwright/test';

type Place = { x: number; y: number };
type MouseInput = { type: 'mousePressed' | 'mouseMoved' | 'mouseReleased'; clickCount?: number } & Place;

export async function drag(page: Page, from: Place, by: Place) {
  const at = (part: number) => ({ x: from.x + part * by.x, y: from.y + part * by.y });
  await send(page, [
    { type: 'mousePressed', ...at(0) },
    { type: 'mouseMoved', ...at(0.5) },
    { type: 'mouseMoved', ...at(1) },
    { type: 'mouseReleased', ...at(1) },
  ]);
}

export async function doubleClick(page: Page, at: Place) {
  const click = (clickCount: number): MouseInput[] => [
    { type: 'mousePressed', clickCount, ...at },
    { type: 'mouseReleased', clickCount, ...at },
  ];
  await send(page, [...click(1), ...click(2)]);
}

async function send(page: Page, events: MouseInput[]) {
  const [first, last] = [events[0], events[events.length - 1]];
  const session = await page.context().newCDPSession(page);
  await page.mouse.move(first.x, first.y);
  await Promise.all(
    events.map((event) =>
      session.send('Input.dispatchMouseEvent', { clickCount: 1, button: 'left', buttons: 1, ...event }),
    ),
  );
  await session.detach();
  // So that Playwright knows where the mouse is.
  await page.mouse.move(last.x, last.y);
}
