// Tries the built site in Chromium, as a host would serve it that sends no headers for threads: every page loads without an error, axe finds
// nothing serious on it, light and dark, nothing is wider than a phone; search, an example of the tour, an exam and threads work.
// Of pages that are made alike (the reference's, the tour's) a few; all of them with `isAll`.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';
import { chromium } from 'playwright-core';
import { Report } from '../scripts/smoke/report.mjs';
import { serve } from './serve.mjs';
import { tryExamples } from './check-examples.mjs';

const CHROMIUM = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SERIOUS = new Set(['serious', 'critical']);

/** `isAll`: every page, and every example of the tour (minutes). → the exit code. */
export async function checkSite(folder, { report: file, isAll = false } = {}) {
  const report = new Report();
  if (!existsSync(CHROMIUM)) {
    report.skip(`the site in a browser: ${CHROMIUM} is not installed`);
    return report.end('site', file);
  }
  const { url, close } = await serve(folder, { isolated: false });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const pages = isAll ? pagesOf(folder) : pagesOf(folder).filter(isSample);
    await report.check('threads without headers of the host', () => tryThreads(browser, url));
    await report.check('search by keyboard', () => trySearch(browser, url));
    await report.check('an example of the tour: run, edited, wrong, restored', () => tryExample(browser, url));
    await report.check('an exam: wrong, right, the way, other numbers, kept', () => tryExam(browser, url));
    await report.check(
      `${pages.length} pages: no error, nothing serious by axe, light and dark, no wider than a phone`,
      () => tryPages(browser, url, pages),
    );
    if (isAll)
      await report.check('every example of the tour prints what it says', () => tryExamples(browser, url, folder));
  } finally {
    await browser.close();
    close();
  }
  return report.end('site', file);
}

/** Of the reference one of each kind: they are thousands, made alike. */
function pagesOf(folder) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'))
    .toSorted();
  const kinds = new Set();
  return found.filter((page) => {
    if (!page.startsWith('reference/')) return true;
    // reference/nn/classes/Linear.html: the kind is `classes`.
    const kind = page.endsWith('/index.html') ? 'module' : page.split('/').at(-2);
    const isFirst = !kinds.has(kind);
    kinds.add(kind);
    return isFirst;
  });
}

/** What a quick check looks at: all but most pages of the tour and the exams. */
const isSample = (page) => !/^(tour|exams)\//.test(page) || /(tensors|from-pytorch|index|mock-2020)\.html$/.test(page);

function assert(condition, text) {
  if (!condition) throw new Error(text);
}

/** A page of its own context, and what went wrong in it. */
async function open(browser, address, { width = 1200, colorScheme = 'light', serviceWorkers = 'block' } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    serviceWorkers,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const errors = [];
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  page.on('pageerror', (error) => void errors.push(String(error)));
  await page.goto(address);
  return { page, errors, context };
}

async function tryPages(browser, url, pages) {
  const found = [];
  const queue = [...pages];
  const work = async () => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop())
      found.push(...(await tryPage(browser, `${url}${name}`, name)));
  };
  await Promise.all([work(), work()]);
  assert(found.length === 0, found.join('\n'));
}

async function tryPage(browser, address, name) {
  const { page, errors, context } = await open(browser, address);
  const found = [];
  try {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      if (scheme === 'light') await page.evaluate(AXE);
      // Dark is light in other colours.
      const rules = scheme === 'light' ? '' : ", runOnly: ['color-contrast']";
      const violations = await page.evaluate(
        `axe.run(document, { resultTypes: ['violations']${rules} }).then(({ violations }) => violations)`,
      );
      for (const { id, impact, help, nodes } of violations.filter((v) => SERIOUS.has(v.impact)))
        found.push(
          `${name}, ${scheme}: ${impact} ${id}: ${help}\n  ${nodes
            .slice(0, 3)
            .map(
              ({ html, failureSummary }) =>
                `${html.slice(0, 160)} ${failureSummary.replaceAll(/\s+/g, ' ').slice(0, 200)}`,
            )
            .join('\n  ')}`,
        );
    }
    await page.setViewportSize({ width: 360, height: 800 });
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    if (wide > 360) found.push(`${name}: ${wide} pixels wide on a phone of 360`);
    found.push(...errors.map((error) => `${name}: ${error}`));
  } finally {
    await context.close();
  }
  return found;
}

async function tryThreads(browser, url) {
  const { page, errors, context } = await open(browser, `${url}lab/networks.html#playground.steps=600`, {
    serviceWorkers: 'allow',
  });
  await page.waitForFunction('globalThis.crossOriginIsolated === true');
  await page.locator('#playground').scrollIntoViewIfNeeded();
  await page.evaluate(() => {
    globalThis.longest = 0;
    const see = (list) =>
      list.getEntries().forEach(({ duration }) => (globalThis.longest = Math.max(globalThis.longest, duration)));
    new PerformanceObserver(see).observe({ type: 'longtask' });
  });
  await page.locator('#playground .play').click(); // motion is reduced: nothing runs by itself
  await page.waitForSelector("#playground[data-state='done']", { timeout: 60_000 });
  const isShared = await page.evaluate("typeof SharedArrayBuffer === 'function'");
  assert(isShared, 'memory cannot be shared');
  assert(errors.length === 0, errors.join('\n'));
  // Told, not asked for: it depends on the machine.
  const rate = Number(await page.locator('#playground .speed').getAttribute('data-rate'));
  const longest = Number(await page.evaluate('longest'));
  await context.close();
  return `${Math.round(rate)} steps a second, ${longest === 0 ? 'no task of the page takes 50 ms' : `the page’s longest task takes ${Math.round(longest)} ms`}`;
}

async function trySearch(browser, url) {
  const { page, errors, context } = await open(browser, `${url}lab/index.html`);
  await page.keyboard.press('/');
  const first = page.locator('#search-result-0');
  const title = async (query) => {
    await page.locator('#search-input').fill(query);
    await first.waitFor();
    return (await first.textContent()) ?? '';
  };
  for (const [query, wanted] of [
    ['broadcasting', /broadcast/i],
    ['what does dropout do', /^Regularisation.*dropout/i],
    ['train on my own csv file', /table of your own/i],
    ['Newton', /newton/i],
    ['convolutoin', /convolution/i],
  ]) {
    const found = await title(query);
    assert(wanted.test(found), `‘${query}’ finds first: ${found}`);
  }
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.waitForURL(({ pathname }) => !pathname.endsWith('lab/index.html'));
  await page.keyboard.press('Control+k');
  await page.locator('#search-input').fill('qqqqzzzz');
  await page.getByText('Nothing has').waitFor();
  await page.keyboard.press('Escape');
  assert(!(await page.locator('dialog.search').isVisible()), 'Escape closes it');
  assert(errors.length === 0, errors.join('\n'));
  await context.close();
}

async function tryExample(browser, url) {
  const { page, errors, context } = await open(browser, `${url}tour/tensors.html`);
  const second = page.locator('.example').nth(1);
  const isIn = (state) => second.and(page.locator(`[data-state='${state}']`)).waitFor();
  await second.getByRole('button', { name: /^Run/ }).click();
  await isIn('done');
  const code = (await second.locator('pre').first().textContent()) ?? '';
  const wanted = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line.trim());
  const printed = (await second.locator('.printed').textContent()) ?? '';
  assert(
    wanted.length > 0 && printed.replaceAll(/[ \t]+/g, ' ').trim() === wanted.join('\n'),
    `it prints ${printed}, not ${wanted.join('\n')}`,
  );
  await second.getByRole('button', { name: /^Edit/ }).click();
  await second
    .locator('.cm-content')
    .fill("import { tensor } from 'nabla';\nconsole.log(await tensor([1, 2, 3]).sum().item());");
  await page.keyboard.press('Control+Enter');
  await isIn('done');
  assert((await second.locator('.printed').textContent()) === '6\n', 'what was typed is run');
  await second.locator('.cm-content').fill("import { tensor } from 'nabla';\ntensor([1, 2]).add(tensor([1, 2, 3]));");
  await second.getByRole('button', { name: /^Run/ }).click();
  await isIn('error');
  assert(/ShapeError/.test((await second.locator('.error').textContent()) ?? ''), 'an error says what is wrong');
  await second.getByRole('button', { name: /^Restore/ }).click();
  assert(await second.locator('pre').first().isVisible(), 'the example is back');
  assert(errors.length === 0, errors.join('\n'));
  await context.close();
}

async function tryExam(browser, url) {
  const { page, errors, context } = await open(browser, `${url}exams/mock-2020.html`);
  const form = page.locator('form').filter({ hasText: 'The mean squared error' });
  const feedback = (text) => form.locator('.feedback').filter({ hasText: text }).waitFor();
  const check = form.getByRole('button', { name: 'Check' });
  await check.click();
  await feedback('Give a number');
  await form.locator('input').fill('3');
  await check.click();
  await feedback('Not yet.');
  await form.locator('input').fill('5/2');
  await check.click();
  await feedback('Right.');
  await form.getByRole('button', { name: 'Show the way' }).click();
  await form.locator('.way li').first().waitFor();
  await form.getByRole('button', { name: 'Other numbers' }).click();
  await page.reload();
  assert((await form.locator('.badge').textContent()) === 'Solved', 'what is solved is kept');
  await page.goto(`${url}exams/index.html`);
  await page.getByText('1 of 7 solved').waitFor();
  assert(errors.length === 0, errors.join('\n'));
  await context.close();
}
