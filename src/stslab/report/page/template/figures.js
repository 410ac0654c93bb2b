  // For a page with figures: what is asked is told beside it, and a figure becomes a picture.
  // What is pointed at, touched or focused is told beside it: above it, or below where there is no
  // room, and never over it.
  const readout = (() => {
    let box, at;
    const place = () => {
      if (!at) return;
      const cell = at.getBoundingClientRect(), width = box.offsetWidth, height = box.offsetHeight;
      const left = cell.left + cell.width / 2 - width / 2, above = cell.top - height - 12;
      const top = above < 4 ? cell.bottom + 12 : above;
      box.style.left = Math.max(4, Math.min(left, root.clientWidth - width - 4)) + "px";
      box.style.top = top + "px";
      box.style.visibility = cell.bottom < 0 || cell.top > innerHeight ? "hidden" : "";
    };
    return {
      start(main) {
        box = make("div", { className: "readout" });
        box.setAttribute("role", "status");
        main.append(box);
        addEventListener("scroll", place, { passive: true, capture: true });
        addEventListener("resize", place);
        addEventListener("keydown", (event) => { if (event.key === "Escape") this.hide(); });
      },
      show(cell, first, ...texts) {
        at = cell;
        const lines = texts.map(([number, text]) => {
          return make("bdi", {}, make("b", { textContent: number }), " ", text.slice(0, 600));
        });
        box.replaceChildren(make("strong", { textContent: first }), ...lines);
        place();
      },
      hide() {
        at = null;
        box.replaceChildren();
      },
    };
  })();

  // One stop for Tab, and from there the arrows; a mouse that leaves takes the read-out with it.
  function asked(board, parts, { find, show, hide, move }) {
    let home = parts[0];
    for (const part of parts) part.setAttribute("tabindex", -1);
    home.setAttribute("tabindex", 0);
    board.addEventListener("focusin", (event) => {
      const part = find(event);
      if (!part) return;
      home.setAttribute("tabindex", -1);
      home = part;
      home.setAttribute("tabindex", 0);
      show(part);
    });
    board.addEventListener("focusout", hide);
    board.addEventListener("pointermove", (event) => {
      const part = event.pointerType === "mouse" && find(event);
      if (part) show(part);
    });
    board.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") hide();
    });
    board.addEventListener("click", (event) => find(event)?.focus({ preventScroll: true }));
    board.addEventListener("keydown", (event) => {
      if (event.altKey || event.metaKey || !find(event)) return;
      const next = move(event, home);
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  }

  // Pictures are drawn when they are asked for, twice as dense as a screen, in the light colours.
  function canvas(width, height) {
    const made = make("canvas", { width: 2 * width, height: 2 * height });
    const pen = made.getContext("2d"), { color, backgroundColor } = getComputedStyle(document.body);
    pen.scale(2, 2);
    pen.fillStyle = backgroundColor;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = color;
    pen.textBaseline = "middle";
    return [made, pen, color];
  }

  pictureOf = async (box) => {
    const table = box.querySelector("table.heat"), before = root.dataset.theme;
    root.dataset.theme = "light";
    const drawn = table ? heatPicture(table) : drawingPicture(box);
    before ? root.dataset.theme = before : delete root.dataset.theme;
    const made = await drawn;
    return new Promise((done) => made.toBlob(done));
  };

  parts.push(() => readout.start(document.querySelector("main")));
