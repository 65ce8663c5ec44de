// Keeps the board's figures current without loading the page again: forms that someone types in stay.
(() => {
  const every = 5000;
  const age = (value) => (value === null ? "never filled" : `${value.toFixed(1)} s`);
  const set = (row, name, text) => {
    const cell = row.querySelector(`[data-cell="${name}"]`);
    if (cell && cell.textContent.trim() !== text) cell.textContent = text;
  };
  const state = (pair) => {
    if (!pair.attached) return ["detached", "detached"];
    return pair.breached ? ["old", "too old"] : ["ok", "in its window"];
  };
  const show = (board) => {
    for (const pair of board.pairs) {
      const row = document.querySelector(`[data-pair="${pair.entity}/${pair.reader}"]`);
      if (!row) continue;
      set(row, "age", age(pair.age_s));
      set(row, "worst", pair.worst_today_s === null ? "–" : age(pair.worst_today_s));
      set(row, "position", pair.position === null ? "–" : String(pair.position));
      set(row, "pending", String(pair.pending));
      const [kind, words] = state(pair);
      const badge = row.querySelector("[data-cell=state]");
      badge.className = `state state-${kind}`;
      badge.textContent = words;
    }
    const at = document.querySelector("[data-board-at]");
    if (at) at.textContent = board.at.slice(0, 19).replace("T", " ");
  };
  const look = async () => {
    try {
      const answer = await fetch("?format=json", { credentials: "same-origin" });
      if (answer.ok) show(await answer.json());
    } catch { /* the next look may find the server again */ }
    setTimeout(look, every);
  };
  setTimeout(look, every);
})();
