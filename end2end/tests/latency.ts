// Measures the latency from one window to others inside the browser: from the key press or touch in one to the element in
// another. Both read the same machine's clock.
import type { ImagePage } from './pages';

/** In milliseconds. */
const timeout = 5_000;

type Observed = { shown?: Promise<number> };

/** Starts to observe the window for a new element that matches. */
export async function observe(window: ImagePage, selector: string) {
  await window.page.evaluate(([selector, timeout]) => {
    const observed = globalThis as never as Observed;
    observed.shown = new Promise((resolve) => {
      const observer = new MutationObserver((changes) => {
        const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
        const holds = (node: Node) => node instanceof Element && (node.matches(selector) || node.querySelector(selector));
        if (!added.some(holds)) return;
        observer.disconnect();
        resolve(Date.now());
      });
      observer.observe(document.body, { childList: true, subtree: true });
      setTimeout(() => resolve(Infinity), timeout);
    });
  }, [selector, timeout] as const);
}

/** The time at which the observed element appeared; infinity after the timeout. */
export async function shown(window: ImagePage): Promise<number> {
  return window.page.evaluate(() => (globalThis as never as Observed).shown!);
}

/** Sends the composer's text; returns the time of the key press. */
export async function pressEnter(window: ImagePage): Promise<number> {
  return window.page.evaluate(() => {
    const at = Date.now();
    const enter = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true });
    document.querySelector('textarea')!.dispatchEvent(enter);
    return at;
  });
}

/** Touches the middle of the picture; returns the time of the touch. */
export async function tapMiddle(window: ImagePage): Promise<number> {
  return window.page.evaluate(() => {
    const picture = document.querySelector<HTMLElement>('.picture')!;
    const { left, top, width, height } = picture.getBoundingClientRect();
    const at = Date.now();
    picture.dispatchEvent(
      new MouseEvent('click', { bubbles: true, clientX: left + width / 2, clientY: top + height / 2 }),
    );
    return at;
  });
}
