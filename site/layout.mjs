// The frame of every page of the site: head, links to its parts, light and dark.

const ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M3 5h26L16 29z" fill="#1769c2"/></svg>')}`;

/** `root` leads from the page to the site's folder; `here` is the part the page belongs to; `head` is added to the head. */
export function layout({ title, main, root = '', here = '', script, head = '' }) {
  const part = (name, href, text) =>
    `<a href="${root}${href}"${name === here ? ' aria-current="true"' : ''}>${text}</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · nabla</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${root}style.css">
${head}<script>{ const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; }</script>
${script ? `<script type="module" src="${script}"></script>\n` : ''}</head>
<body>
<a class="skip" href="#main">To the content</a>
<header><a class="name" href="${root}index.html">∇ nabla</a>
<nav aria-label="Site">${part('tour', 'tour/tensors.html', 'Tour')}${part('lab', 'lab/index.html', 'Lab')}</nav>
<button type="button" id="theme" title="Light or dark" aria-label="Switch between light and dark">◐</button></header>
<main id="main">
${main}
</main>
</body>
</html>
`;
}
