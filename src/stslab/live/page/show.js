  // What is shown: numbers, tables, heatmaps, and what can be taken along.
  const at = (id) => document.getElementById(id);
  const fixed = (value, digits) => value.toFixed(digits).replace(/^-(?=[0.]*$)/, "");
  const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
  const listed = (items) => items.join(", ").replace(/, ([^,]*)$/, " and $1");
  const step = (value) => "h" + Math.round((Math.max(-1, Math.min(1, value)) + 1) * 20);
  const quote = (text) => `“${text.length > 60 ? text.slice(0, 59).trimEnd() + "…" : text}”`;
  const paragraph = (textContent, className = "says") => make("p", { textContent, className });

  function save(name, type, content) {
    const href = URL.createObjectURL(new Blob([content], { type }));
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10000);
    say(`Saved as ${name}.`);
  }

  // As in the CSV files of a report: a text is never a formula to a spreadsheet.
  const FORMULA = /^(?!-[0-9.]+(?:e[-+]?[0-9]+)?$)[' ]*[=+\-@＝＋－＠\t\r\n]/i;
  const csvCell = (value) => {
    const text = typeof value === "string" && FORMULA.test(value) ? "'" + value : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  const csvOf = (rows) => rows.map((row) => row.map(csvCell).join(",") + "\r\n").join("");

  function tools(name, rows, picture) {
    const made = make("div", { className: "tools" });
    const act = (label, run, done) => made.append(button(label, async () => {
      await run();
      say(done);
    }));
    act("Copy as CSV", () => copy(csvOf(rows())), "Copied.");
    made.append(button("Save as CSV", () => save(name + ".csv", "text/csv", "\ufeff" + csvOf(rows()))));
    if (!picture) return made;
    if (window.ClipboardItem) act("Copy picture", () => {
      return navigator.clipboard.write([new ClipboardItem({ "image/png": picture() })]);
    }, "Copied.");
    made.append(button("Save picture", async () => save(name + ".png", "image/png", await picture())));
    return made;
  }

  // A number of a row has its decimals; a node is put in as it is; a column without texts goes.
  function table(caption, allHeads, allRows) {
    const kept = allHeads.map((_, i) => i).filter((i) => allRows.some((row) => row[i] !== ""));
    const heads = kept.map((i) => allHeads[i]), rows = allRows.map((row) => kept.map((i) => row[i]));
    const cell = (value) => {
      if (typeof value !== "number") return make("td", {}, value);
      const textContent = Number.isInteger(value) ? String(value) : fixed(value, 4);
      return make("td", { className: "number", textContent });
    };
    const head = make("tr", {}, ...heads.map((textContent, i) => {
      const numeric = typeof rows[0]?.[i] === "number";
      return make("th", { scope: "col", textContent, className: numeric ? "number" : "" });
    }));
    const body = rows.map((row) => make("tr", {}, ...row.map(cell)));
    const made = make("table", {}, make("caption", { textContent: caption }), make("thead", {}, head));
    made.append(make("tbody", {}, ...body));
    return make("div", { className: "table" }, scrolled(made));
  }

  function scrolled(content) {
    const box = make("div", { className: "wide" }, content);
    scrolling([box]);
    return box;
  }

  // The tables of numbers for CSV: heads, then rows.
  const namedRows = (heads, rows) => () => [heads, ...rows.map((row) => row.map((value) => {
    return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(6) : value;
  }))];

  function legend(ends) {
    const steps = Array.from({ length: 21 }, (_, i) => make("i", { className: "h" + 2 * i }));
    const scale = make("span", { className: "scale" }, ...steps);
    const made = make("div", { className: "legend" }, make("span", { textContent: ends[0] }), scale);
    made.append(make("span", { textContent: ends[1] }));
    return made;
  }

  // A table whose cells are coloured, as in a report; `shade` maps a value to [-1, 1].
  function coloured(caption, heads, columns, values, { shade = (value) => value, digits } = {}) {
    const n = Math.max(heads.length, columns.length);
    const size = n <= 8 ? "few" : n <= 16 ? "some" : n <= 27 ? "many" : "many most";
    const made = make("table", { className: "heat " + size });
    const head = (scope, [number, text], named) => {
      const name = make(named ? "bdi" : "span", { textContent: text, className: named ? "" : "vh" });
      return make("th", { scope }, make("b", { textContent: number }), name);
    };
    const top = columns.map((each) => head("col", each, n <= 8 || each[0] === ""));
    digits ||= (value) => n <= 16 ? fixed(value, 2) : fixed(value, 2).replace(/0(?=\.)|\.00/g, "");
    const rows = values.map((row, i) => {
      const cells = Array.from(row, (value) => {
        return make("td", { className: step(shade(value)), textContent: digits(value) || "0" });
      });
      const made = make("tr", {}, head("row", heads[i], true), ...cells);
      made.dataset.scores = Array.from(row, (value) => Math.round(value * 10000)).join(" ");
      return made;
    });
    made.append(make("caption", { textContent: caption }));
    made.append(make("thead", {}, make("tr", {}, make("td", {}), ...top)), make("tbody", {}, ...rows));
    return made;
  }

  // More sentences than a table can hold: one dot for a pair, asked by pointer, finger and arrows.
  function dots(caption, heads, matrix, n) {
    const made = make("canvas", { className: "cells", width: n, height: n, tabIndex: 0 });
    made.setAttribute("role", "application");
    made.setAttribute("aria-label", `${caption} Arrow keys read a cell.`);
    const paint = () => {
      const probes = Array.from({ length: 41 }, (_, i) => make("i", { className: "h" + i }));
      const scale = make("span", { className: "scale vh" }, ...probes);
      document.body.append(scale);
      const inks = probes.map((probe) => getComputedStyle(probe).backgroundColor.match(/\d+/g));
      scale.remove();
      const image = new ImageData(n, n);
      for (let i = 0; i < n * n; i++) {
        const ink = inks[Math.round((Math.max(-1, Math.min(1, matrix[i])) + 1) * 20)];
        for (let k = 0; k < 3; k++) image.data[4 * i + k] = ink[k];
        image.data[4 * i + 3] = 255;
      }
      made.getContext("2d").putImageData(image, 0, 0);
    };
    let row = 0, column = 0;
    const cell = { getBoundingClientRect() {
      const box = made.getBoundingClientRect(), side = box.width / n;
      return new DOMRect(box.left + column * side, box.top + row * side, side, side);
    } };
    const tell = () => {
      readout.show(cell, fixed(matrix[row * n + column], 4), heads[row], heads[column]);
    };
    const point = (event) => {
      const box = made.getBoundingClientRect();
      const place = (from, start) => {
        return Math.max(0, Math.min(n - 1, Math.floor((from - start) / box.width * n)));
      };
      [row, column] = [place(event.clientY, box.top), place(event.clientX, box.left)];
      tell();
    };
    made.onpointermove = (event) => { if (event.pointerType === "mouse") point(event); };
    made.onclick = point;
    made.onfocus = () => { if (made.matches(":focus-visible")) tell(); };
    made.onblur = made.onpointerleave = () => readout.hide();
    made.onkeydown = (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const [down, right] = move[event.key] || [];
      if (down === undefined || event.altKey || event.metaKey) return;
      event.preventDefault();
      row = Math.max(0, Math.min(n - 1, row + down));
      column = Math.max(0, Math.min(n - 1, column + right));
      tell();
    };
    made.paint = paint;
    paint();
    return made;
  }
