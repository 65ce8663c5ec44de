// Keeps a run's progress current; when another check is done, its result is shown by loading the page again.
(() => {
  const every = 3000;
  const shown = document.querySelectorAll(".board-table tbody tr td[data-label=Status]").length;
  const show = (run) => {
    if (run.finished_at || run.done !== shown) return location.reload();
    const words = document.querySelector("[data-run=words]");
    if (words) words.textContent = `${run.done} of ${run.total}${run.current ? `, at ${run.current}` : ""}`;
    return setTimeout(look, every);
  };
  const look = async () => {
    try {
      const answer = await fetch("?format=json", { credentials: "same-origin" });
      if (answer.ok) return show(await answer.json());
    } catch { /* the next look may find the server again */ }
    return setTimeout(look, every);
  };
  setTimeout(look, every);
})();
