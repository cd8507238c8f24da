// Before the first paint, so that a dark page never flashes white. A file, because the policy forbids inline script.
(() => {
  let wish = 'system';
  try {
    wish = JSON.parse(localStorage.getItem('chat-mvp.settings') ?? '{}').theme ?? 'system';
  } catch {}
  const dark = wish === 'dark' || (wish === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
