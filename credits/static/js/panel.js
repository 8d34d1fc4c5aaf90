// Keys for the panel and papers that change in place. Everything here can be done by links and buttons as well.
(() => {
  "use strict";
  const help = document.querySelector("[data-keys]");
  const rows = [...document.querySelectorAll("[data-row]")];
  const viewer = document.querySelector("[data-viewer]");
  const sections = [...document.querySelectorAll("[data-jump]")];
  const KEPT = "panel-keys-hidden";

  function kept(hidden) {
    try {
      if (hidden === undefined) return localStorage.getItem(KEPT) === "yes";
      localStorage.setItem(KEPT, hidden ? "yes" : "no");
    } catch (fault) {
      // A browser that keeps nothing shows the help on every page.
    }
    return false;
  }

  if (help) help.hidden = kept();

  function step(by) {
    const at = rows.indexOf(document.activeElement);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next) {
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  }

  function follow(selector) {
    const link = document.querySelector(selector);
    if (link) link.click();
  }

  // Another page or paper without loading the whole review again; where that fails, the link is followed.
  async function show(link) {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error("not shown");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-viewer]");
    viewer.replaceChildren(...fresh.childNodes);
    history.replaceState(null, "", link.href);
  }

  if (viewer) {
    viewer.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-show]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const name = link.dataset.show;
      show(link).then(
        () => {
          const again = viewer.querySelector(`[data-show="${name}"]`) || viewer.querySelector("[data-show]");
          if (again) again.focus({ preventScroll: true });
        },
        () => location.assign(link.href),
      );
    });
  }

  function jump(number) {
    const link = sections[number - 1];
    if (link) link.click();
  }

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => {
      const box = document.querySelector("main input[type=search]") || document.querySelector("input[type=search]");
      if (box) box.focus();
      else follow("[data-queue]");
    },
    q: () => follow("[data-queue]"),
    n: () => follow('[data-show="next-paper"]'),
    p: () => follow('[data-show="previous-paper"]'),
    ".": () => follow('[data-show="next-page"]'),
    ",": () => follow('[data-show="previous-page"]'),
    a: () => {
      const box = document.querySelector("[data-ask]");
      if (box) box.focus();
    },
    d: () => follow("[data-decide]"),
    "?": () => {
      if (!help) return;
      help.hidden = !help.hidden;
      kept(help.hidden);
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const where = event.target;
    if (where.closest("input, select, textarea, [contenteditable]")) {
      if (event.key === "Escape") where.blur();
      return;
    }
    if (/^[1-9]$/.test(event.key)) jump(Number(event.key));
    else if (KEYS[event.key]) KEYS[event.key]();
    else return;
    event.preventDefault();
  });
})();
