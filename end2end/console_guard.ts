// Fails a test for errors and warnings on a page's console that it does not expect.
import type { BrowserContext, ConsoleMessage } from '@playwright/test';

/** A node on a busy machine makes no smaller picture, and the page shows the image itself. */
const tooBusy = /status of 503 .*\/i\/\w+\?w=\d+\)$/;

/** Chromium's warning for a page that is left while its socket connects: the page closes it then. */
const leftWhileConnecting = /WebSocket is closed before the connection is established/;

const problemTypes = new Set(['assert', 'error', 'warning']);

export class ConsoleGuard {
  private readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [tooBusy, leftWhileConnecting];

  /** Listens to every page of the context, including those that are opened later. */
  watch(context: BrowserContext) {
    context.on('console', (message) => {
      if (problemTypes.has(message.type())) this.seen.push(describe(message));
    });
    context.on('weberror', (error) => this.seen.push(`uncaught ${error.error().stack || error.error()}`));
  }

  /** Allows messages whose text or URL matches. */
  allow(pattern: RegExp) {
    this.allowed.push(pattern);
  }

  /** Throws if there were other messages. */
  check() {
    const unexpected = this.seen.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
    if (unexpected.length > 0) throw new Error(`Errors on the page's console:\n${unexpected.join('\n')}`);
  }
}

function describe(message: ConsoleMessage) {
  return `${message.type()}: ${message.text()} (${message.location().url})`;
}
