  // For a page that a notebook became, and for lists of pages.
  // The pages beside this one are there if the reader came from one, or if a server has them.
  function links() {
    const near = new URLSearchParams(location.search).get("in") === "report";
    const served = /^https?:$/.test(location.protocol) && window === top && origin !== "null";
    if (!near && !served) return;
    for (const link of all("[data-page]")) {
      const [page, place] = link.dataset.page.split("#");
      link.href = page + (near && !link.download ? "?in=report" : "") + (place ? "#" + place : "");
      link.hidden = false;
    }
    for (const nav of all("nav[hidden]")) nav.hidden = false;
  }

  function follow() {
    const links = new Map(all(".contents a").map((a) => [a.hash.slice(1), a]));
    const heads = all("main h2[id]").filter((head) => links.has(head.id));
    if (!heads.length) return;
    const mark = () => {
      let at = heads[0];
      for (const head of heads) if (head.getBoundingClientRect().top < innerHeight / 3) at = head;
      if (innerHeight + scrollY >= root.scrollHeight - 4 && scrollY) at = heads.at(-1);
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(at.id).setAttribute("aria-current", "true");
    };
    let waiting = 0;
    const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; mark(); }); };
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    mark();
  }

  function anchors() {
    for (const head of all("main :is(h2, h3, h4)[id]:not(summary *, nav *)")) {
      const link = make("a", { className: "here", href: "#" + head.id, textContent: "#" });
      link.setAttribute("aria-label", "Link to this section");
      head.append(" ", link);
    }
  }

  function sortable(table) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    if (body.rows.length < 2) return;
    const order = new Intl.Collator(undefined, { numeric: true });
    heads.forEach((head, column) => {
      const sort = button("");
      sort.append(...head.childNodes);
      head.append(sort);
      const numeric = body.rows[0].cells[column]?.classList.contains("number");
      if (numeric) head.classList.add("number");
      sort.onclick = () => {
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

  // A field that finds a text wherever the page shows it.
  function finder() {
    const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    const places = [];
    const add = (kind, text, ...marks) => places.push({ kind, text: plain(text), marks });
    for (const table of all("table.heat")) {
      const heads = table.tHead.rows[0].cells;
      [...table.tBodies[0].rows].forEach((row, i) => {
        add("row", nameOf(row.cells[0]), row.cells[0], row, heads[i + 1]);
      });
    }
    for (const point of all(".map use[data-text]")) add("point", point.dataset.text, point);
    for (const row of all(".table tbody tr")) add("table", row.textContent, row);
    // What a figure lists beneath itself is marked, but it is not another place.
    for (const item of all(".data tbody tr, .data ol > li, .groups ol > li")) {
      add("", item.textContent, item);
    }
    if (!places.length) return;
    const main = ["row", "point", "table"].find((kind) => places.some((one) => one.kind === kind));
    const order = (a, b) => (a.marks[0].compareDocumentPosition(b.marks[0]) & 4 ? -1 : 1);
    const said = make("output", {});
    const field = make("input", { type: "search", placeholder: "Find a text" });
    field.setAttribute("aria-label", "Find a text on this page");
    field.setAttribute("aria-keyshortcuts", "/");
    let found = [], at = -1, wait;
    const look = () => {
      const wanted = plain(field.value.trim());
      for (const { text, marks } of places) {
        const hit = Boolean(wanted) && text.includes(wanted);
        for (const one of marks) {
          one.classList.toggle("hit", hit);
          one.classList.toggle("dim", Boolean(wanted) && !hit);
          one.classList.remove("at");
        }
      }
      const hits = places.filter(({ text }) => wanted && text.includes(wanted));
      found = hits.filter(({ kind }) => kind).sort(order);
      at = -1;
      const count = (list, kind) => list.filter((each) => each.kind === kind).length;
      const rest = main === "table" ? 0 : count(hits, "table");
      const things = main === "point" ? "points" : "rows";
      const line = `${count(hits, main)} of ${count(places, main)} ${things}`;
      said.textContent = wanted ? line + (rest ? `, ${rest} in tables` : "") : "";
    };
    field.oninput = () => {
      clearTimeout(wait);
      wait = setTimeout(look, 150);
    };
    field.onkeydown = (event) => {
      if (event.key === "Escape") {
        field.value = "";
        look();
      } else if (event.key === "Enter") {
        event.preventDefault();
        clearTimeout(wait);
        const place = at;
        look();
        if (!found.length) return;
        at = (place + (event.shiftKey ? -1 : 1) + found.length) % found.length;
        const [mark] = found[at].marks;
        reveal(mark);
        mark.classList.add("at");
        mark.scrollIntoView({ block: "center" });
      }
    };
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      field.focus();
    });
    const box = make("div", { className: "find" }, field, said);
    box.setAttribute("role", "search");
    document.querySelector(".switches").prepend(box);
  }

  const whole = (cell) => {
    const fold = cell.querySelector(".long");
    return (fold ? fold.lastChild : cell).textContent.replace(/\s+/g, " ").trim();
  };
  const rowsOf = (table) => [...table.rows].map((row) => [...row.cells].map(whole));
  const quoted = (text) => `"${text.replace(/"/g, '""')}"`;
  const csv = (table) => rowsOf(table).map((row) => row.map(quoted).join(",") + "\n").join("");
  const markdown = (table) => {
    const lines = rowsOf(table).map((row) => {
      return `| ${row.map((text) => text.replace(/[\\|]/g, "\\$&")).join(" | ")} |`;
    });
    const marks = [...table.tHead.rows[0].cells].map((head) => {
      return head.classList.contains("number") ? "---:" : "---";
    });
    lines.splice(1, 0, `| ${marks.join(" | ")} |`);
    return lines.join("\n") + "\n";
  };

  function menus() {
    for (const box of all("main .table, main .figure, main figure")) {
      const tools = box.querySelector(":scope > .tools") || make("div", { className: "tools" });
      const link = tools.querySelector("a");
      const table = box.matches(".table") && box.querySelector("table");
      const title = box.querySelector("caption, figcaption")?.textContent || "";
      const name = title.match(/^\w+ \d+/)?.[0] || "this";
      const list = make("div", {}), menu = make("details", { className: "menu", name: "menu" });
      const act = (label, run, done) => list.append(button(label, async () => {
        menu.open = false;
        menu.firstElementChild.focus();
        await run();
        say(`${name}: ${done}.`);
      }));
      if (table) {
        act("Copy as Markdown", () => copy(markdown(table)), "copied");
        const held = link?.href.startsWith("data:") && link.href.slice(link.href.indexOf(",") + 1);
        act("Copy as CSV", () => copy(held ? decodeURIComponent(held) : csv(table)), "copied");
      } else if (pictureOf && box.querySelector("table.heat, svg, img")) {
        if (window.ClipboardItem) act("Copy picture", () => {
          return navigator.clipboard.write([new ClipboardItem({ "image/png": pictureOf(box) })]);
        }, "copied");
        act("Download PNG", async () => {
          const href = URL.createObjectURL(await pictureOf(box));
          const file = (link?.download || box.id || "figure").replace(/\.csv$/, "") + ".png";
          make("a", { href, download: file }).click();
          setTimeout(() => URL.revokeObjectURL(href), 10000);
        }, "downloaded");
      }
      if (link) list.append(link);
      const place = box.id || box.querySelector("table.heat")?.id;
      if (place) list.append(make("a", { href: "#" + place, textContent: "Link to this" }));
      const dots = make("span", { textContent: "…" });
      dots.setAttribute("aria-hidden", "true");
      const means = make("span", { className: "vh", textContent: `Copy or save ${name}` });
      menu.append(make("summary", {}, dots, means), list);
      menu.onkeydown = (event) => {
        if (event.key === "Escape") menu.open = false;
      };
      tools.append(menu);
      if (!tools.parentNode) box.append(tools);
    }
    addEventListener("click", (event) => {
      for (const menu of all(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
    for (const cite of all(".cite")) cite.append(" ", button("Copy", async () => {
      await copy(cite.querySelector("span").textContent);
      say("Copied.");
    }));
  }

  function codeSwitch() {
    const code = document.getElementById("code");
    if (code) code.onclick = () => {
      const shown = code.textContent === "Hide code";
      code.textContent = shown ? "Show code" : "Hide code";
      for (const details of all("details.code")) details.open = !shown;
    };
  }

  // Once the parts are in place.
  finish = () => {
    links();
    all("table.stslab").forEach(sortable);
    finder();
    follow();
    anchors();
    menus();
    codeSwitch();
    scrolling(all(".wide, .plot"));
  };
