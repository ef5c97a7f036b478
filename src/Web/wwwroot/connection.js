// The face of a lost connection. The page keeps its place: nothing is emptied, covered or reloaded unless the server no longer knows this window.
(() => {
  const cardAfter = 30_000, quietFor = 4_000, tryEvery = 5_000, answerWithin = 5_000;
  const root = document.documentElement;
  const face = document.getElementById('components-reconnect-modal');
  if (!face) { return; }
  let lostAt = null, card = 0, retrying = 0;

  const clock = time => time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const say = (slot, text) => { face.querySelector(`[data-${slot}]`).textContent = text; };

  const lost = () => {
    if (lostAt) { return; }
    lostAt = new Date();
    root.dataset.live = 'lost';
    say('lost-since', `Not live since ${clock(lostAt)} · trying`);
    say('lost-at', clock(lostAt));
    card = setTimeout(() => { root.dataset.lost = 'long'; }, cardAfter);
  };

  const found = () => {
    if (!lostAt) { return; }
    lostAt = null;
    clearTimeout(card);
    clearTimeout(retrying);
    delete root.dataset.lost;
    root.dataset.live = 'again';
    say('live-again', 'Live again');
    setTimeout(() => { if (root.dataset.live === 'again') { delete root.dataset.live; say('live-again', ''); } }, quietFor);
  };

  // A connection is not yet a window that works: a server that was restarted takes the connection and knows nothing of the page.
  const prove = async () => {
    if (!lostAt) { return; }
    try {
      const late = new Promise((_, no) => { setTimeout(() => no(new Error('late')), answerWithin); });
      await Promise.race([window.dashboardAnswers(), late]);
      found();
    } catch {
      location.reload(); // the address brings the same view back
    }
  };

  // The server may still know this window; if not, it may have kept what it showed; else the address brings the same view back.
  const again = async () => {
    clearTimeout(retrying);
    try {
      if (await Blazor.reconnect() || await Blazor.resumeCircuit?.()) { await prove(); } else { location.reload(); }
    } catch { // no server yet
      retrying = setTimeout(again, tryEvery);
    }
  };

  face.addEventListener('components-reconnect-state-changed', event => {
    const state = event.detail?.state;
    if (state === 'hide') { prove(); }
    else { lost(); if (state === 'failed' || state === 'rejected') { again(); } }
  });
  face.querySelector('[data-try-again]').addEventListener('click', again);
  face.querySelector('[data-load-again]').addEventListener('click', () => location.reload());
})();
