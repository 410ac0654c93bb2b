// Everything here adds to a page that is complete without it. Nothing is loaded, nothing is sent.
(() => {
  "use strict";
  const root = document.documentElement;
  // A page opened from a mail may have no storage.
  const store = {
    get(key) { try { return localStorage.getItem("stslab-" + key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem("stslab-" + key, value); } catch {} },
  };
  const themes = ["system", "light", "dark"];
  const theme = (name) => {
    name === "system" ? delete root.dataset.theme : root.dataset.theme = name;
  };
  // Before the first paint, or a dark page would flash.
  const chosen = themes.includes(store.get("theme")) ? store.get("theme") : "system";
  theme(chosen);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  function switches() {
    const button = document.getElementById("theme");
    let now = chosen;
    const say = () => { button.firstElementChild.textContent = now; };
    button.onclick = () => {
      now = themes[(themes.indexOf(now) + 1) % 3];
      theme(now);
      store.set("theme", now);
      say();
    };
    say();
    const code = document.getElementById("code");
    if (code) {
      const show = (on) => {
        code.setAttribute("aria-pressed", on);
        for (const details of all("details.code")) details.open = on;
      };
      code.onclick = () => {
        const on = code.getAttribute("aria-pressed") !== "true";
        show(on);
        store.set("code", on ? "shown" : "");
      };
      if (store.get("code")) show(true);
    }
    document.querySelector(".switches").hidden = false;
  }

  function follow() {
    const links = new Map(all(".contents a").map((a) => [a.hash.slice(1), a]));
    const heads = all("main h2[id]").filter((head) => links.has(head.id));
    if (!heads.length || !window.IntersectionObserver) return;
    const mark = () => {
      let at = heads[0];
      for (const head of heads) if (head.getBoundingClientRect().top < innerHeight / 3) at = head;
      if (innerHeight + scrollY >= root.scrollHeight - 4 && scrollY) at = heads.at(-1);
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(at.id).setAttribute("aria-current", "true");
    };
    const watch = new IntersectionObserver(mark, { rootMargin: "0px 0px -66% 0px" });
    heads.forEach((head) => watch.observe(head));
    watch.observe(document.querySelector(".made-from"));
  }

  function sortable(table) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    if (body.rows.length < 2) return;
    const order = new Intl.Collator(undefined, { numeric: true });
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      const numeric = body.rows[0].cells[column]?.classList.contains("number");
      if (numeric) head.classList.add("number");
      button.onclick = () => {
        const before = head.getAttribute("aria-sort");
        const up = before ? before === "descending" : !numeric;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = (row) => {
          const text = row.cells[column].textContent;
          return numeric ? (text.trim() ? parseFloat(text) : NaN) : text.slice(0, 500);
        };
        const rows = [...body.rows].map((row) => [key(row), row]);
        // Sorting is stable; a missing number stays last either way.
        rows.sort(([a], [b]) => numeric
            ? (isNaN(a) - isNaN(b)) || (up ? a - b : b - a)
            : (up ? 1 : -1) * order.compare(a, b));
        body.append(...rows.map(([, row]) => row));
      };
    });
  }

  function heatmap(table) {
    const readout = table.closest(".figure").querySelector(".readout");
    const rows = [...table.tBodies[0].rows], heads = table.tHead.rows[0].cells;
    const n = rows.length;
    let marked = [], home = rows[0].cells[1];
    readout.hidden = false;
    table.setAttribute("role", "grid");
    const text = (head) => (head.querySelector(".vh") || head.querySelector("bdi")).textContent;
    const show = (cell) => {
      const row = cell.parentNode, column = cell.cellIndex;
      for (const one of marked) one.classList.remove("on");
      marked = [cell, row.cells[0], heads[column]];
      for (const one of marked) one.classList.add("on");
      const score = document.createElement("strong");
      score.textContent = cell.textContent;
      const names = [row.cells[0], heads[column]].map((head) => {
        const name = document.createElement("bdi");
        name.textContent = text(head);
        return name;
      });
      readout.replaceChildren(score, ...names);
    };
    const find = (event) => event.target.closest("tbody td");
    for (const row of rows) for (const cell of [...row.cells].slice(1)) cell.tabIndex = -1;
    home.tabIndex = 0;
    table.addEventListener("focusin", (event) => {
      const cell = find(event);
      if (!cell) return;
      home.tabIndex = -1;
      home = cell;
      home.tabIndex = 0;
      show(cell);
    });
    table.addEventListener("pointerover", (event) => { const cell = find(event); if (cell) show(cell); });
    table.addEventListener("click", (event) => find(event)?.focus());
    table.addEventListener("keydown", (event) => {
      const cell = find(event);
      if (!cell || event.altKey || event.metaKey) return;
      let r = rows.indexOf(cell.parentNode), c = cell.cellIndex;
      const whole = event.ctrlKey;
      switch (event.key) {
        case "ArrowUp": r--; break;
        case "ArrowDown": r++; break;
        case "ArrowLeft": c--; break;
        case "ArrowRight": c++; break;
        case "Home": c = 1; if (whole) r = 0; break;
        case "End": c = n; if (whole) r = n - 1; break;
        case "PageUp": r = 0; break;
        case "PageDown": r = n - 1; break;
        default: return;
      }
      event.preventDefault();
      rows[Math.max(0, Math.min(n - 1, r))].cells[Math.max(1, Math.min(n, c))].focus();
    });
  }

  // A box that scrolls sideways fades where more is to be seen, and must be reachable without a
  // mouse; one that does not scroll should not be. The observer reports once at the start.
  function scrolling(boxes) {
    if (!window.ResizeObserver) return;
    const fade = (box) => {
      box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
    };
    const watch = new ResizeObserver((entries) => {
      const wide = entries.map(({ target }) => target.scrollWidth > target.clientWidth + 1);
      entries.forEach(({ target }, i) => {
        const title = target.parentNode.querySelector("caption, figcaption")?.textContent || "";
        const label = `${title.slice(0, 80)} (${boxes.indexOf(target) + 1}, scrolls sideways)`;
        const said = { tabindex: "0", role: "region", "aria-label": label.trim() };
        for (const [name, value] of Object.entries(said)) {
          wide[i] ? target.setAttribute(name, value) : target.removeAttribute(name);
        }
        fade(target);
      });
    });
    for (const box of boxes) {
      watch.observe(box);
      box.addEventListener("scroll", () => fade(box), { passive: true });
    }
  }

  function enhance() {
    switches();
    follow();
    all("table.stslab").forEach(sortable);
    all("table.heat").forEach(heatmap);
    scrolling(all(".wide, .plot"));
  }

  // What opens the page is painted first, then the rest, unless a place further down was asked for.
  if (!location.hash) root.dataset.first = "";
  document.addEventListener("DOMContentLoaded", () => {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      delete root.dataset.first;
      setTimeout(enhance);
    }));
  });
})();
