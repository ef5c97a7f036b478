// The live end of a console: one row of text nodes per line, never markup. At most `most` rows are kept here; the
// component's history shows what is dropped. Machine output is hostile, so only textContent is ever written.

const most = 2000;
const least = 1500; // trimmed in steps: a history that grows with every batch would be laid out with every batch
const near = 24; // px from the end that still count as "at the end"
const consoles = new WeakMap();

export function mount(box, tail, component, line) {
  const history = tail.previousElementSibling;
  const state = { box, tail, component, history, following: line === null, seek: line, find: '', top: 0, height: history.offsetHeight };
  state.onScroll = () => {
    const up = box.scrollTop < state.top;
    state.top = box.scrollTop;
    // Content growing below also leaves the end behind; only a reader who moves up means to stop following.
    // Who steps through hits is not at the end by wish: only End follows again.
    if (atEnd(box) && state.find === '') follow(state, true);
    else if (up) follow(state, false);
  };
  box.addEventListener('scroll', state.onScroll, { passive: true });
  // Virtualize turns the browser's scroll anchoring off. A growing history would push the tail away under the reader,
  // so it is put back here, after layout and before paint.
  state.sizes = new ResizeObserver(() => {
    const before = state.height;
    state.height = history.offsetHeight;
    if (state.seek !== null) seek(state);
    else if (state.following) stickToEnd(state);
    else if (box.scrollTop >= before) moveBy(state, state.height - before);
  });
  state.sizes.observe(history);
  consoles.set(tail, state);
  if (line !== null) component.invokeMethodAsync('FollowingChanged', false);
}

/** Adds rows; returns the index of the first row the tail should keep. */
export function append(tail, rows) {
  const state = consoles.get(tail);
  const added = document.createDocumentFragment();
  for (const row of rows) {
    const line = document.createElement('div');
    line.className = row.tone ? `line ${row.tone}` : 'line';
    line.dataset.index = row.index;
    if (holds(row.text, state.find)) line.classList.add('hit');
    for (const [part, text] of [['no', row.number], ['at', row.time], ['tx', row.text]]) {
      const span = document.createElement('span');
      span.className = part;
      span.textContent = text;
      line.append(span);
    }
    added.append(line);
  }
  tail.append(added);
  if (state.seek !== null) seek(state);
  else if (state.following) stickToEnd(state);
  const keep = tail.childElementCount > most ? tail.children[tail.childElementCount - least] : tail.firstElementChild;
  return keep ? Number(keep.dataset.index) : 0;
}

/** Drops the rows before an index, without moving what is being read. */
export function trim(tail, keepFrom) {
  const state = consoles.get(tail);
  const before = tail.offsetHeight;
  const reading = state.box.scrollTop >= state.history.offsetHeight;
  while (tail.firstElementChild && Number(tail.firstElementChild.dataset.index) < keepFrom) tail.firstElementChild.remove();
  if (state.following) stickToEnd(state);
  else if (reading) moveBy(state, tail.offsetHeight - before);
}

/** Marks the rows that hold a text, those to come too; '' marks none. */
export function mark(tail, find) {
  const state = consoles.get(tail);
  if (!state) return;
  state.find = find;
  for (const row of tail.children) {
    row.classList.toggle('hit', holds(row.lastElementChild.textContent, find));
    row.classList.remove('sought');
  }
}

/** Shows a line, wherever it is, and stops following. */
export function reveal(tail, index) {
  const state = consoles.get(tail);
  if (!state) return;
  follow(state, false);
  for (const row of tail.querySelectorAll('.sought')) row.classList.remove('sought');
  state.seek = index;
  seek(state);
}

export function toEnd(tail) {
  const state = consoles.get(tail);
  state.seek = null;
  stickToEnd(state);
  follow(state, true);
  state.box.focus({ preventScroll: true });
}

export function unmount(tail) {
  const state = consoles.get(tail);
  if (!state) return;
  state.sizes.disconnect();
  state.box.removeEventListener('scroll', state.onScroll);
  consoles.delete(tail);
}

const holds = (text, find) => find !== '' && text.toLowerCase().includes(find.toLowerCase());

const atEnd = box => box.scrollHeight - box.scrollTop - box.clientHeight <= near;

function follow(state, following) {
  if (state.following === following) return;
  state.following = following;
  state.component.invokeMethodAsync('FollowingChanged', following).catch(() => { }); // the circuit may be gone
}

function stickToEnd(state) {
  state.box.scrollTop = state.box.scrollHeight;
  state.top = state.box.scrollTop;
}

function moveBy(state, pixels) {
  state.box.scrollTop += pixels;
  state.top = state.box.scrollTop;
}

/** Shows the line of a link once it is there, in the history or in the tail. */
function seek(state) {
  const first = state.tail.firstElementChild ? Number(state.tail.firstElementChild.dataset.index) : Infinity;
  const row = state.seek >= first ? state.tail.children[state.seek - first] : null;
  if (row) {
    row.classList.add('sought');
    row.scrollIntoView({ block: 'center' });
  } else if (state.seek < first && state.history.offsetHeight >= (state.seek + 1) * 20) {
    state.box.scrollTop = state.seek * 20 - state.box.clientHeight / 2;
  } else {
    return;
  }
  state.top = state.box.scrollTop;
  state.seek = null;
}
