// Finds elements of the pages by roles and names, as a person does.
import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';

export class ImagePage {
  readonly messages: Locator;
  readonly composer: Locator;
  readonly picture: Locator;
  readonly ripples: Locator;
  readonly status: Locator;

  constructor(readonly page: Page) {
    this.messages = page.getByRole('log').locator('.bubble');
    this.composer = page.getByRole('textbox', { name: 'Message' });
    this.picture = page.getByRole('img', { name: /^The shared picture/ });
    this.ripples = page.locator('.ripple');
    this.status = page.locator('.status');
  }

  /** Opens the page and waits until it is live. */
  static async open(page: Page, shortID: string): Promise<ImagePage> {
    await page.goto(`/u/${shortID}`);
    const opened = new ImagePage(page);
    await opened.live();
    return opened;
  }

  /** Opens the page in another person's browser. */
  static async openAsAnother(context: BrowserContext, shortID: string): Promise<ImagePage> {
    return ImagePage.open(await context.newPage(), shortID);
  }

  async live() {
    await expect(this.status).toHaveText(/^(Live|Caught up)/);
  }

  /** Gives the person at this page an alias. */
  async rename(name: string) {
    await this.page.getByRole('button', { name: /^Writing as/ }).click();
    const field = this.page.getByRole('textbox', { name: 'Writing as' });
    await expect(field).toBeFocused();
    await field.fill(name);
    await field.press('Enter');
    await expect(this.page.getByRole('button', { name: `Writing as ${name}` })).toBeVisible();
  }

  async say(text: string) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  async texts(): Promise<string[]> {
    return this.messages.allInnerTexts();
  }

  /** Touches the picture at these fractions of its width and height. */
  async tap(x: number, y: number) {
    const box = (await this.picture.boundingBox())!;
    await this.page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  }

  /** Ends the ripples that are shown, instead of waiting for it. */
  async endRipples() {
    await this.ripples.evaluateAll((ripples) => {
      for (const animation of ripples.flatMap((ripple) => ripple.getAnimations())) animation.finish();
    });
    await expect(this.ripples).toHaveCount(0);
  }

  /** The centre of the newest ripple, as fractions of the picture. */
  async ripplePlace(): Promise<{ x: number; y: number }> {
    await this.ripples.last().waitFor({ state: 'attached' });
    return this.page.evaluate(() => {
      const picture = document.querySelector('.picture img')!.getBoundingClientRect();
      const ring = [...document.querySelectorAll('.ripple')].pop()!.getBoundingClientRect();
      return {
        x: (ring.left + ring.width / 2 - picture.left) / picture.width,
        y: (ring.top + ring.height / 2 - picture.top) / picture.height,
      };
    });
  }
}
