// How long something takes from one window into others, timed inside the browser: from the press or tap in one to the
// element in another. Both read the same machine's clock.
import type { ImagePage } from './pages';

/** In milliseconds; what has not come by then did not cross at all. */
const givesUpAfter = 5_000;

type Marked = { shown?: Promise<number> };

/** Starts to look out for a new element of this kind in the window. */
export async function lookOut(window: ImagePage, selector: string) {
  await window.page.evaluate(([selector, givesUpAfter]) => {
    const marked = globalThis as never as Marked;
    marked.shown = new Promise((resolve) => {
      const observer = new MutationObserver((changes) => {
        const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
        const holds = (node: Node) => node instanceof Element && (node.matches(selector) || node.querySelector(selector));
        if (!added.some(holds)) return;
        observer.disconnect();
        resolve(Date.now());
      });
      observer.observe(document.body, { childList: true, subtree: true });
      setTimeout(() => resolve(Infinity), givesUpAfter);
    });
  }, [selector, givesUpAfter] as const);
}

/** When the element that was looked out for appeared; infinity when it did not. */
export async function shown(window: ImagePage): Promise<number> {
  return window.page.evaluate(() => (globalThis as never as Marked).shown!);
}

/** Sends what stands in the composer; the time of the key press. */
export async function pressEnter(window: ImagePage): Promise<number> {
  return window.page.evaluate(() => {
    const at = Date.now();
    const enter = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true });
    document.querySelector('textarea')!.dispatchEvent(enter);
    return at;
  });
}

/** Taps the middle of the picture; the time of the tap. */
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
