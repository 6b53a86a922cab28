// A fake WebSocket in the page, for tests that measure how long the app takes to handle a frame.
import type { Page } from '@playwright/test';

interface FakeSocket {
  /** Delivers this many messages, each with a place or without, so many in each task, and returns the median time that the script takes for one, in milliseconds. */
  receive(count: number, withPlaces: boolean, perTask: number): Promise<number>;
}

/** Replaces WebSocket in the page by one that answers `watch` and nothing else. Call it before the page is opened. */
export async function connectFakeSocket(page: Page, uploadID: string) {
  await page.addInitScript((uploadID) => {
    let seq = 0;
    let pin = 0;
    const frame = (type: string, data: object) => JSON.stringify({ type, data: { uploadID, ...data } });
    const message = (withPlace: boolean) => ({
      kind: 'message',
      id: '0'.repeat(24),
      uploadID,
      seq: ++seq,
      authorName: `Author ${seq % 3}`,
      content: `message ${seq}`,
      clientMessageID: `fake-${seq}`,
      ...(withPlace ? { pin: ++pin, at: { x: (pin % 20) / 20, y: (pin % 11) / 11 } } : {}),
      createdAt: new Date(1_795_521_600_000 + seq * 1_000).toISOString(),
    });
    const nextTask = () =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = resolve;
        port2.postMessage(null);
      });
    class FakeWebSocket extends EventTarget {
      static readonly OPEN = 1;
      readonly readyState = 1;
      constructor() {
        super();
        Object.assign(window, { fakeSocket: this });
        setTimeout(() => this.dispatchEvent(new Event('open')));
      }
      send(command: string) {
        if (JSON.parse(command).type !== 'watch') return;
        setTimeout(() => this.deliver(frame('watched', { head: seq, messages: [] })));
      }
      close() {}
      deliver(data: string) {
        this.dispatchEvent(new MessageEvent('message', { data }));
      }
      async receive(count: number, withPlaces: boolean, perTask: number) {
        const times: number[] = [];
        for (let n = 0; n < count; n++) {
          const data = frame('messagePosted', { message: message(withPlaces) });
          const start = performance.now();
          this.deliver(data);
          // The app handles a frame in microtasks. The browser's layout of the new row is not counted.
          for (let turn = 0; turn < 100; turn++) await null;
          times.push(performance.now() - start);
          if ((n + 1) % perTask === 0) await nextTask();
        }
        return times.sort((a, b) => a - b)[count >> 1];
      }
    }
    Object.assign(window, { WebSocket: FakeWebSocket });
  }, uploadID);
}

/** Delivers messages one by one, and returns the median time that the script takes for one, in milliseconds. */
export async function receiveMessages(page: Page, count: number, withPlaces = false): Promise<number> {
  return receive(page, count, withPlaces, 1);
}

/** Delivers messages in groups: the browser takes its time to paint each task's change of a long list. */
export async function fillList(page: Page, count: number, withPlaces = false) {
  await receive(page, count, withPlaces, 250);
}

async function receive(page: Page, count: number, withPlaces: boolean, perTask: number): Promise<number> {
  return page.evaluate(
    ([count, withPlaces, perTask]) =>
      (window as unknown as { fakeSocket: FakeSocket }).fakeSocket.receive(count, withPlaces, perTask),
    [count, withPlaces, perTask] as const,
  );
}
