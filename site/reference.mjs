// The reference in the site: the Markdown that TypeDoc writes (scripts/reference.mjs --markdown), a page a name, in the frame of the site.
// Input: the folder of Markdown, and that of the site; output: pages in reference/ there, their number, and what the search finds.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { layout } from './layout.mjs';
import { renderMarkdown } from './markdown.mjs';

export function buildReference(from, out) {
  const files = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(from, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'))
    .toSorted();
  const modules = files.filter((file) => file.endsWith('/index.md')).map((file) => posix.dirname(file));
  const documents = [];
  for (const file of files) {
    const { title, html, sections } = renderMarkdown(readFileSync(join(from, file), 'utf8'), { link: toHtml });
    const page = `reference/${toHtml(file)}`;
    const root = '../'.repeat(page.split('/').length - 1);
    const main = `<div class="tour"><nav aria-label="Reference">${contents(file, modules, files)}</nav><article>${html}</article></div>`;
    mkdirSync(dirname(join(out, page)), { recursive: true });
    writeFileSync(join(out, page), layout({ title, main, root, here: 'reference' }));
    // Only a page as a whole: its headings (Parameters, Returns) are those of every other.
    const text = sections
      .map((part) => part.text)
      .join(' ')
      .slice(0, 400);
    documents.push({ url: page, title, section: '', part: 'Reference', text: text.trim() });
  }
  return { pages: files.length, documents };
}

const toHtml = (href) => (/^[a-z]+:/.test(href) ? href : href.replace(/\.md(?=$|#)/, '.html'));

/** Links to the modules, and below the one of this page to what it exports. */
function contents(file, modules, files) {
  const here = posix.dirname(file);
  const link = (to, text) =>
    `<a href="${posix.relative(here, to).replace(/\.md$/, '.html')}"${to === file ? ' aria-current="page"' : ''}>${text}</a>`;
  const own = modules.filter((name) => file.startsWith(`${name}/`)).toSorted((a, b) => b.length - a.length)[0];
  return [
    link('index.md', 'All modules'),
    ...modules.map((name) => {
      const isDeeper = (other) => modules.some((m) => m.length > name.length && other.startsWith(`${m}/`));
      const members =
        name === own
          ? files.filter((other) => other.startsWith(`${name}/`) && !other.endsWith('/index.md') && !isDeeper(other))
          : [];
      const list = members.map((other) => link(other, posix.basename(other, '.md')));
      return `${link(`${name}/index.md`, name === 'index' ? 'nabla' : `nabla/${name}`)}${list.length > 0 ? `<div class="members">${list.join('')}</div>` : ''}`;
    }),
  ].join('');
}
