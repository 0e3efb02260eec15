// Threads share memory only in a page that is isolated from others, which the server says by two headers. Where the host does not send
// them, a service worker of the site adds them to what it passes on; the page that registered it is loaded once more, through it.
// Pages ask for it by `data-isolate` on the root element.

const RELOADED = 'nabla-isolated';

export async function isolate(root: URL): Promise<void> {
  if (!('isolate' in document.documentElement.dataset)) return;
  if (globalThis.crossOriginIsolated || !('serviceWorker' in navigator)) return sessionStorage.removeItem(RELOADED);
  try {
    await navigator.serviceWorker.register(new URL('isolate.js', root));
    await navigator.serviceWorker.ready;
  } catch (error) {
    // Everything runs on one thread then: a private window, or a page from a file.
    console.info(`nabla computes on one thread here: ${String(error)}`);
    return;
  }
  // A browser that does not isolate a page even then is not asked again and again.
  if (sessionStorage.getItem(RELOADED)) return;
  sessionStorage.setItem(RELOADED, 'yes');
  location.reload();
}
