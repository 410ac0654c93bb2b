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
  const make = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const button = (textContent, onclick) => make("button", { type: "button", textContent, onclick });
  const reveal = (place) => {
    for (let up = place; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  };
  // What each kind of page does more: parts in files of their own, which stand here.
  const parts = [];
  let status, pictureOf, finish = () => {};
  const say = (text) => { status.textContent = text; };

  function switches() {
    const look = document.getElementById("theme");
    let now = chosen;
    const name = () => { look.firstElementChild.textContent = now; };
    look.onclick = () => {
      now = themes[(themes.indexOf(now) + 1) % 3];
      theme(now);
      store.set("theme", now);
      name();
    };
    name();
    document.querySelector(".switches").hidden = false;
  }

  const nameOf = (head) => (head.querySelector(".vh") || head.querySelector("bdi")).textContent;
  const numberOf = (head) => head.querySelector("b").textContent;

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // An older browser, or a page in a frame.
      const area = make("textarea", { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  // A box that scrolls sideways fades where more is to be seen, and must be reachable without a
  // mouse; one that does not scroll should not be. The observer reports once at the start.
  function scrolling(boxes) {
    if (!window.ResizeObserver) return;
    const fade = (box) => {
      box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
    };
    const watch = new ResizeObserver((seen) => {
      const entries = seen.filter(({ target }) => target.isConnected);
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

  // PARTS

  function enhance() {
    const main = document.querySelector("main");
    status = make("div", { className: "vh" });
    status.setAttribute("role", "status");
    main.append(status);
    for (const part of parts) part();
    finish();
    switches();
    // What was added above the place that was asked for has moved it.
    const place = location.hash && document.getElementById(location.hash.slice(1));
    const [entry] = performance.getEntriesByType("navigation");
    if (place && entry?.type === "navigate") {
      reveal(place);
      place.scrollIntoView({ behavior: "instant" });
    }
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
