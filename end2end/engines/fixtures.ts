// A browser with a profile of its own for each test, and what tests do in it.
import { join } from 'node:path';
import { Origin, type WebDriver } from 'selenium-webdriver';
import { test as base, expect } from '../fixtures';
import { Browser, Screen, type Engine } from './browser';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A window of the browser. */
export class Window {
  constructor(readonly driver: WebDriver, private readonly baseURL: string) {}

  /** Opens the home page and waits for hydration. */
  async openHome() {
    await this.driver.get(`${this.baseURL}/`);
    await expect.poll(() => this.count('html.hydrated')).toBe(1);
  }

  /** Opens an image's page and waits until it is live. */
  async openImage(shortID: string) {
    await this.driver.get(`${this.baseURL}/u/${shortID}`);
    await this.live();
  }

  async live() {
    await expect.poll(() => this.text('.status')).toMatch(/^(Live|Caught up)/);
  }

  /** Makes the window's outer size this; it may be larger if the browser has a smallest size. */
  async resize(width: number, height: number) {
    await this.driver.manage().window().setRect({ x: 0, y: 0, width, height });
  }

  async evaluate<T>(script: string, ...args: unknown[]): Promise<T> {
    return this.driver.executeScript<T>(script, ...args);
  }

  count(selector: string): Promise<number> {
    return this.evaluate('return document.querySelectorAll(arguments[0]).length', selector);
  }

  text(selector: string): Promise<string> {
    return this.evaluate('return document.querySelector(arguments[0])?.textContent ?? ""', selector);
  }

  box(selector: string): Promise<Box | null> {
    return this.evaluate(
      `const box = document.querySelector(arguments[0])?.getBoundingClientRect();
       return box ? { x: box.x, y: box.y, width: box.width, height: box.height } : null;`,
      selector,
    );
  }

  /** Presses the mouse at this fraction of the picture's width and height. */
  async tap(x: number, y: number) {
    const box = (await this.box('.picture img'))!;
    const at = { x: Math.round(box.x + x * box.width), y: Math.round(box.y + y * box.height) };
    await this.driver.actions().move({ ...at, origin: Origin.VIEWPORT, duration: 0 }).press().release().perform();
  }

  /** Where the middle, or else the lower left corner, of the last such mark is, as fractions of the picture. */
  fraction(selector: string, part: 'middle' | 'tip'): Promise<{ x: number; y: number }> {
    return this.evaluate(
      `const picture = document.querySelector('.picture img').getBoundingClientRect();
       const mark = [...document.querySelectorAll(arguments[0])].pop().getBoundingClientRect();
       const half = arguments[1] ? 0.5 : 0;
       return {
         x: (mark.left + half * mark.width - picture.left) / picture.width,
         y: (mark.bottom - half * mark.height - picture.top) / picture.height,
       };`,
      selector,
      part === 'middle',
    );
  }

  async click(selector: string) {
    await this.driver.findElement({ css: selector }).click();
  }

  async type(selector: string, ...keys: string[]) {
    await this.driver.findElement({ css: selector }).sendKeys(...keys);
  }
}

interface WorkerFixtures {
  display: Screen | undefined;
}

export const test = base.extend<{ window: Window }, WorkerFixtures>({
  display: [
    async ({}, use, info) => {
      const screen = info.project.name === 'webkit' ? await Screen.start() : undefined;
      await use(screen);
      await screen?.stop();
    },
    { scope: 'worker' },
  ],

  window: async ({ server, display }, use, info) => {
    const browser = await Browser.start(info.project.name as Engine, display);
    try {
      const window = new Window(browser.driver, server.url);
      await window.resize(1280, 800);
      await use(window);
      if (info.status === info.expectedStatus) return;
      const body = Buffer.from(await browser.driver.takeScreenshot(), 'base64');
      await info.attach('screenshot', { body, contentType: 'image/png' });
    } finally {
      await browser.stop();
    }
  },
});

export const images = join(__dirname, '..', 'images');
export { expect };
