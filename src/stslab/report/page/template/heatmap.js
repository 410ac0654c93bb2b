  function heatmap(table) {
    const rows = [...table.tBodies[0].rows], heads = table.tHead.rows[0].cells, n = rows.length;
    let marked = [];
    const mark = (...cells) => {
      for (const one of marked) one.classList.remove("on");
      marked = cells;
      for (const one of marked) one.classList.add("on");
    };
    table.setAttribute("role", "grid");
    asked(table, rows.flatMap((row) => [...row.cells].slice(1)), {
      find: (event) => event.target.closest("tbody td"),
      show(cell) {
        const row = cell.parentNode, pair = [row.cells[0], heads[cell.cellIndex]];
        mark(cell, ...pair);
        const score = row.dataset.scores.split(" ")[cell.cellIndex - 1] / 10000;
        readout.show(cell, score.toFixed(4), ...pair.map((head) => [numberOf(head), nameOf(head)]));
      },
      hide() {
        mark();
        readout.hide();
      },
      move(event, cell) {
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
          default: return null;
        }
        return rows[Math.max(0, Math.min(n - 1, r))].cells[Math.max(1, Math.min(n, c))];
      },
    });
  }

  function heatPicture(table) {
    const rows = [...table.tBodies[0].rows], n = rows.length;
    const side = n > 16 ? 26 : 44, left = 320, top = 72, edge = 16, below = top + n * side + 24;
    const [made, pen, ink] = canvas(left + n * side + edge, below + edge);
    const font = (size, weight = "") => { pen.font = `${weight} ${size}px system-ui, sans-serif`; };
    const cut = (text, room) => {
      let end = text.length > 200 ? 200 : text.length;
      while (end && pen.measureText(text.slice(0, end)).width > room) end--;
      return end < text.length ? text.slice(0, end - 1) + "…" : text;
    };
    font(15, "600");
    pen.fillText(cut(table.caption.textContent, left + n * side), edge, 26);
    rows.forEach((row, r) => {
      const y = top + r * side;
      font(12);
      pen.textAlign = "start";
      const name = `${numberOf(row.cells[0])}  ${nameOf(row.cells[0])}`;
      pen.fillText(cut(name, left - 2 * edge), edge, y + side / 2);
      pen.textAlign = "center";
      pen.fillText(numberOf(row.cells[0]), left + r * side + side / 2, top - 12);
      font(n > 16 ? 10 : 12);
      [...row.cells].slice(1).forEach((cell, c) => {
        const { color, backgroundColor } = getComputedStyle(cell), x = left + c * side;
        pen.fillStyle = backgroundColor;
        pen.fillRect(x + .5, y + .5, side - 1, side - 1);
        pen.fillStyle = color;
        pen.fillText(cell.textContent, x + side / 2, y + side / 2);
      });
      pen.fillStyle = ink;
    });
    const steps = all(".scale i", table.closest(".figure"));
    font(11);
    steps.forEach((step, i) => {
      pen.fillStyle = getComputedStyle(step).backgroundColor;
      pen.fillRect(edge + 24 + i * 8, below - 6, 8, 12);
    });
    pen.fillStyle = ink;
    pen.fillText("−1", edge + 10, below);
    pen.fillText("0", edge + 24 + steps.length * 4, below + 14);
    pen.fillText("1", edge + 36 + steps.length * 8, below);
    return made;
  }

  parts.push(() => all("table.heat").forEach(heatmap));
