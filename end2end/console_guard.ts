// What a page complains about on its console is a fault, unless a test says that it expects it.
import type { BrowserContext, ConsoleMessage } from '@playwright/test';

const complaints = new Set(['assert', 'error', 'warning']);

export class ConsoleGuard {
  private readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** Listens to every page of the context, those that it opens later too. */
  watch(context: BrowserContext) {
    context.on('console', (message) => {
      if (complaints.has(message.type())) this.seen.push(describe(message));
    });
    context.on('weberror', (error) => this.seen.push(`uncaught ${error.error().stack || error.error()}`));
  }

  /** Takes what matches for expected in this test: the text, or the address that it is about. */
  allow(pattern: RegExp) {
    this.allowed.push(pattern);
  }

  /** Fails if anything else was there. */
  check() {
    const faults = this.seen.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
    if (faults.length > 0) throw new Error(`The page complained on its console:\n${faults.join('\n')}`);
  }
}

function describe(message: ConsoleMessage) {
  return `${message.type()}: ${message.text()} (${message.location().url})`;
}
