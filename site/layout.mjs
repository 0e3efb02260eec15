// The frame of every page of the site: head, links to its parts, light and dark.

const ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M3 5h26L16 29z" fill="#1769c2"/></svg>')}`;

export const escapeHtml = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * `root` leads from the page to the site's folder; `here` is the part the page belongs to; `script` is its own, beside that of all pages;
 * `isolate`: what it computes may use threads (page/isolation.ts).
 */
export function layout({ title, main, root = '', here = '', script, isolate = false }) {
  const part = (name, href, text) =>
    `<a href="${root}${href}"${name === here ? ' aria-current="true"' : ''}>${text}</a>`;
  return `<!doctype html>
<html lang="en"${isolate ? ' data-isolate' : ''}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · nabla</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${root}style.css">
<script>{ const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; }</script>
<script type="module" src="${root}site.js"></script>
${script ? `<script type="module" src="${script}"></script>\n` : ''}</head>
<body>
<a class="skip" href="#main">To the content</a>
<header><a class="name" href="${root}index.html">∇ nabla</a>
<nav aria-label="Site">${part('tour', 'tour/tensors.html', 'Tour')}${part('lab', 'lab/index.html', 'Lab')}${part('exams', 'exams/index.html', 'Exams')}${part('reference', 'reference/index.html', 'Reference')}</nav>
<button type="button" id="search" aria-keyshortcuts="/ Control+K" title="Search (press /)">Search</button>
<button type="button" id="theme" title="Light or dark" aria-label="Switch between light and dark">◐</button></header>
<main id="main">
${main}
</main>
</body>
</html>
`;
}
