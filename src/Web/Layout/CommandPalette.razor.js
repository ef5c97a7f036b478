// Keys of every page. Acts on what the page shows: links are followed, buttons pressed, nothing is done that a pointer could not do.
const chordWait = 1200; // ms between G and the letter after it

const typing = element => !!element?.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]');
const singleKeys = () => localStorage.getItem('single-keys') !== 'off';
const shown = element => element.getClientRects().length > 0;

export function listen(palette, help, component, start) {
  const ending = new AbortController();
  const on = (target, type, act) => target.addEventListener(type, act, { signal: ending.signal });
  const field = palette.querySelector('input');
  const list = palette.querySelector('[role=listbox]');
  let chord = 0;

  const options = () => [...list.querySelectorAll('[role=option]')];
  const chosen = () => list.querySelector('[role=option][aria-selected=true]');
  const choose = option => {
    chosen()?.setAttribute('aria-selected', 'false');
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    if (option) field.setAttribute('aria-activedescendant', option.id); else field.removeAttribute('aria-activedescendant');
  };
  const move = step => {
    const all = options();
    if (all.length) choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  };

  // What is found changes while one types: the first line is the one that Enter takes.
  const refound = new MutationObserver(() => { if (!chosen()) choose(options()[0]); });
  refound.observe(list, { childList: true, subtree: true });
  ending.signal.addEventListener('abort', () => refound.disconnect());

  const open = () => {
    if (palette.open) return;
    help.close();
    field.value = '';
    palette.showModal();
    field.focus();
    component.invokeMethodAsync('Opened').catch(() => { }); // the circuit may be gone
  };
  const go = path => Blazor.navigateTo(start.team + path);
  const press = selector => { const target = [...document.querySelectorAll(selector)].find(shown); target?.click(); return !!target; };
  const scripts = { theme: () => press('button[aria-label^="Switch between light"]'), help: () => help.showModal() };

  on(document, 'click', event => {
    if (event.target.closest?.('[data-open-palette]')) open();
    if (event.target.closest?.('[data-close-dialog]') || event.target === palette || event.target === help) event.target.closest('dialog')?.close();
    const option = event.target.closest?.('[role=option]');
    if (option && palette.contains(option)) {
      palette.close();
      const script = scripts[option.dataset.script];
      if (script) { event.preventDefault(); event.stopPropagation(); script(); }
    }
  });
  on(field, 'input', () => choose(null));
  on(palette, 'pointermove', event => { const option = event.target.closest?.('[role=option]'); if (option) choose(option); });
  on(palette, 'keydown', event => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); move(event.key === 'ArrowDown' ? 1 : -1); }
    else if (event.key === 'Enter') { event.preventDefault(); chosen()?.click(); }
  });

  const box = help.querySelector('[data-single-keys]');
  box.checked = singleKeys();
  on(box, 'change', () => { localStorage.setItem('single-keys', box.checked ? 'on' : 'off'); });

  const rows = () => [...document.querySelectorAll('main table.table tbody tr, main a.card-row')].filter(shown).filter(row => row.matches('a') || row.querySelector('a'));
  const rowOf = element => element?.closest?.('main table.table tbody tr, main a.card-row');
  const step = by => {
    const all = rows();
    if (!all.length) return false;
    const at = all.indexOf(rowOf(document.activeElement));
    const row = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    (row.matches('a') ? row : row.querySelector('a')).focus();
    return true;
  };

  const single = {
    '/': () => { open(); return true; },
    '?': () => { help.showModal(); return true; },
    c: () => start.mayStart && (go('/jobs/new'), true),
    i: () => { go('/inbox'); return true; },
    t: () => scripts.theme(),
    j: () => step(1),
    k: () => step(-1),
    x: () => { const tick = rowOf(document.activeElement)?.querySelector('input[type=checkbox]'); tick?.click(); return !!tick; },
    f: () => { const filter = [...document.querySelectorAll('main .filters :is(input, select, button, a)')].find(shown); filter?.focus(); return !!filter; },
    s: () => press('main a[href*="ask=stop"]'),
  };

  on(document, 'keydown', event => {
    if (event.isComposing || event.defaultPrevented) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && key === 'k') {
      event.preventDefault();
      if (palette.open) palette.close(); else open();
      return;
    }

    if (event.ctrlKey && event.key === 'Enter') {
      const form = document.activeElement?.closest?.('form');
      if (form) { event.preventDefault(); form.requestSubmit(); }
      return;
    }

    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') || typing(document.activeElement)) return;
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && rowOf(document.activeElement)) {
      if (step(event.key === 'ArrowDown' ? 1 : -1)) event.preventDefault();
      return;
    }

    if (!singleKeys()) return;
    if (chord && event.timeStamp - chord < chordWait) {
      chord = 0;
      if (key in start.places) { event.preventDefault(); go(start.places[key]); return; }
    }

    if (key === 'g' && !event.shiftKey) { chord = event.timeStamp; return; }
    chord = 0;
    if (/^[1-7]$/.test(key)) {
      const tab = document.querySelectorAll('main .tabs a')[Number(key) - 1];
      if (tab) { event.preventDefault(); tab.click(); }
    } else if ((!event.shiftKey || key === '?') && single[key]?.()) {
      event.preventDefault();
    }
  });

  // For connection.js: whether the server still knows this window.
  window.dashboardAnswers = () => component.invokeMethodAsync('Answers');

  return { end: () => ending.abort() };
}
