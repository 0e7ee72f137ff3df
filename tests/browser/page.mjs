// Drives Chromium for page_test.py: takes one JSON command a line, answers one JSON line.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.NODE_FOLDER}/`);
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
let context, page, complaints = [];

const commands = {
  async open({ url, ...options }) {
    if (context) await context.close();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', bypassCSP: true, ...options });
    page = await context.newPage();
    complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => { if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`asked ${request.url()}`); });
    await page.goto(url);
    return null;
  },
  async wait({ text, gone, selector = 'body', seconds = 10 }) {
    const began = Date.now();
    await page.waitForFunction(([where, what, without]) => {
      const at = document.querySelector(where);
      return !!at && at.checkVisibility() && at.textContent.includes(what) !== without;
    }, [selector, text, !!gone], { timeout: seconds * 1000, polling: 20 });
    return Date.now() - began;
  },
  text: ({ selector }) => page.locator(selector).first().textContent(),
  texts: ({ selector }) => page.locator(selector).allTextContents(),
  attribute: ({ selector, name }) => page.locator(selector).first().getAttribute(name),
  async click({ selector }) { await page.locator(selector).first().click(); return page.url(); },
  async choose({ selector, value }) { await page.locator(selector).selectOption(value); return page.url(); },
  async press({ key }) { await page.keyboard.press(key); return page.evaluate(() => document.activeElement.textContent || document.activeElement.tagName); },
  async back() { await page.goBack(); return page.url(); },
  async axe() {
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', ')}`);
  },
  async measure() {
    return page.evaluate(() => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      weight: ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type)).reduce((sum, entry) => sum + entry.encodedBodySize, 0),
    }));
  },
  async shot({ path, full = true }) { await page.screenshot({ path, fullPage: full, animations: 'disabled' }); return path; },
  complaints: () => complaints,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...words } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: (await commands[command](words)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: `${command} ${JSON.stringify(words)}: ${error.message}` }));
  }
}
await browser.close();
