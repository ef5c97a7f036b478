const tables = new WeakMap();

const typing = element => element.matches('input:not([type=checkbox]), select, textarea, [contenteditable]');

// Rows out of view are not in the document: scrolling to the edge brings the next ones.
function move(table, from, by) {
  let row = from;
  do { row = by > 0 ? row.nextElementSibling : row.previousElementSibling; } while (row && !row.classList.contains('offer'));
  if (row) {
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }
}

export function listen(table) {
  const keys = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) { return; }
    if (event.key === 'f') {
      document.getElementById('market-find')?.focus();
      event.preventDefault();
      return;
    }
    if (!table.contains(event.target)) { return; }
    const row = event.target.closest('tr.offer');
    const by = event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0;
    if (by !== 0) {
      if (row) { move(table, row, by); } else { table.querySelector('tr.offer')?.focus(); }
      event.preventDefault();
    } else if (row && (event.key === 'x' || event.key === 'Enter' && event.target === row)) {
      row.querySelector('input[type=checkbox]').click();
      event.preventDefault();
    }
  };
  document.addEventListener('keydown', keys);
  tables.set(table, keys);
}

export function leave(table) {
  document.removeEventListener('keydown', tables.get(table));
}
