// Small comforts; every page works without them.
(() => {
  "use strict";
  const ASK_AGAIN_S = 12; // before the number's 15 s are over
  const shownAt = new WeakMap();
  const asked = new WeakSet();

  // The first page counts from the start of its navigation, so an age is never understated.
  const noteShown = (root, at) => {
    const found = root.matches?.("[data-age-s]") ? [root] : [...root.querySelectorAll("[data-age-s]")];
    for (const stock of found) if (!shownAt.has(stock)) shownAt.set(stock, at);
  };

  const tick = () => {
    for (const stock of document.querySelectorAll("[data-age-s]")) {
      if (!shownAt.has(stock)) shownAt.set(stock, performance.now());
      const age = Number(stock.dataset.ageS) + (performance.now() - shownAt.get(stock)) / 1000;
      const time = stock.querySelector("time");
      if (time) time.textContent = time.textContent.replace(/\d+/, Math.min(15, Math.ceil(age)));
      if (age < ASK_AGAIN_S || asked.has(stock) || document.hidden || !window.htmx) continue;
      asked.add(stock);
      const asker = stock.hasAttribute("hx-get") ? stock : document.querySelector("[data-stock-poller]");
      if (asker && !askedLately(asker)) window.htmx.trigger(asker, "stock-due");
    }
  };

  // One question for all the numbers of a list, and no more than one in 5 s, so that a late copy does not raise the load.
  const lastAsked = new WeakMap();
  const askedLately = (asker) => {
    const now = performance.now();
    if (now - (lastAsked.get(asker) ?? -Infinity) < 5000) return true;
    lastAsked.set(asker, now);
    return false;
  };

  noteShown(document, 0);
  setInterval(tick, 1000);
  document.addEventListener("htmx:load", (event) => noteShown(event.detail.elt, performance.now()));
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden) event.preventDefault(); // a tab in the background asks nothing
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // "back" would show old numbers
  });

  // A second press while the first is under way; the server's idempotency key is what really counts.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-once]")) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  document.querySelector(".error-summary")?.focus();
})();
