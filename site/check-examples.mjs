// Runs every page of the tour as its last example does, in Chromium, and compares what is printed with what the page says.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export async function tryExamples(browser, url, folder) {
  const wrong = [];
  let count = 0;
  for (const name of readdirSync(join(folder, 'tour')).filter((file) => file.endsWith('.html'))) {
    if (!readFileSync(join(folder, 'tour', name), 'utf8').includes('class="example"')) continue;
    const page = await browser.newPage();
    await page.goto(`${url}tour/${name}`);
    const examples = page.locator('.example');
    const last = examples.last();
    await last.getByRole('button', { name: /^Run/ }).click();
    // The last runs all: each is done then, or one has failed.
    const isOver = () => {
      const states = [...document.querySelectorAll('.example')].map(({ dataset }) => dataset.state);
      return states.includes('error') || states.every((state) => state === 'done');
    };
    await page
      .waitForFunction(isOver, undefined, { timeout: 60_000 })
      .catch(() => wrong.push(`${name}: no end in a minute`));
    for (const example of await examples.all()) {
      const code = (await example.locator('pre').first().textContent()) ?? '';
      const wanted = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line.trim());
      const said = await example.locator('.printed .line, .printed .error').allTextContents(); // and not what warns
      const printed = said.map((text) => text.replaceAll(/\s+/g, ' ').trim());
      if (wanted.length !== printed.length || !wanted.every((line, i) => isLike(printed[i], line)))
        wrong.push(
          `${name}: ${code.slice(0, 80)}…\n  prints ${printed.join(' | ').slice(0, 300)}\n  not    ${wanted.join(' | ').slice(0, 300)}`,
        );
      count++;
    }
    await page.context().close();
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return `${count} examples`;
}

/** Whether the line is the pattern, in which `…` stands for any text. */
function isLike(line, pattern) {
  const parts = pattern.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(line);
}
