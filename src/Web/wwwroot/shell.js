// Runs in the head, before the first paint: theme and time zone are known to page and server from a cookie.
(() => {
  const root = document.documentElement;
  const year = 60 * 60 * 24 * 365;
  const remember = (name, value) => { document.cookie = `${name}=${encodeURIComponent(value)};path=/;max-age=${year};samesite=lax`; };
  const remembered = name => document.cookie.split('; ').find(c => c.startsWith(name + '='))?.slice(name.length + 1);

  const paint = theme => { root.dataset.theme = theme; root.style.colorScheme = theme; };
  paint(remembered('theme') ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
  remember('zone', Intl.DateTimeFormat().resolvedOptions().timeZone);

  // Blazor's enhanced navigation replaces attributes of <html> with what the server knew.
  new MutationObserver(() => { if (!root.dataset.theme) { paint(remembered('theme') ?? 'light'); } })
    .observe(root, { attributes: true, attributeFilter: ['data-theme'] });

  window.dashboardShell = {
    theme: () => root.dataset.theme,
    zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
    switchTheme: () => {
      const theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
      remember('theme', theme);
      paint(theme);
      return theme;
    },
  };

  // Copying one number copies its exact value, not the rounded one.
  document.addEventListener('copy', event => {
    const selection = document.getSelection();
    if (!selection || selection.rangeCount === 0) { return; }
    const inside = selection.getRangeAt(0).commonAncestorContainer;
    const element = (inside.nodeType === Node.TEXT_NODE ? inside.parentElement : inside)?.closest('[data-exact]');
    if (element && selection.toString().trim() === element.textContent.trim()) {
      event.clipboardData.setData('text/plain', element.dataset.exact);
      event.preventDefault();
    }
  });
})();
