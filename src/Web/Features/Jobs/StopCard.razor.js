// The browser's own modal dialog: focus stays inside, Esc asks to leave, and focus returns to where it was.
const opened = new WeakMap();

export function open(dialog, component) {
  const back = document.activeElement;
  const leave = () => component.invokeMethodAsync('Dismissed').catch(() => { }); // the circuit may be gone
  const onCancel = event => { event.preventDefault(); leave(); };
  const onClick = event => { if (event.target === dialog) leave(); };
  dialog.addEventListener('cancel', onCancel);
  dialog.addEventListener('click', onClick);
  opened.set(dialog, { back, onCancel, onClick });
  dialog.showModal();
}

export function close(dialog) {
  const state = opened.get(dialog);
  if (!state) return;
  opened.delete(dialog);
  dialog.removeEventListener('cancel', state.onCancel);
  dialog.removeEventListener('click', state.onClick);
  dialog.close();
  state.back?.focus?.();
}
