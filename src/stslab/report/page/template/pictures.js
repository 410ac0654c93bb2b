  // A drawing as a picture; of a map, with its legend.
  function drawingPicture(figure) {
    const drawn = figure.querySelector("svg, img"), map = drawn.closest(".map");
    if (!drawn.viewBox) {
      const [made, pen] = canvas(drawn.naturalWidth, drawn.naturalHeight);
      pen.drawImage(drawn, 0, 0);
      return made;
    }
    const copied = drawn.cloneNode(true), { width } = drawn.viewBox.baseVal;
    let { height } = drawn.viewBox.baseVal;
    // What the stylesheet says is written into the copy, and the legend beneath it.
    if (map) all("g", drawn).forEach((group, k) => {
      const { fill, stroke } = getComputedStyle(group), into = all("g", copied)[k];
      const key = into.firstElementChild.cloneNode();
      const text = document.createElementNS(copied.namespaceURI, "text");
      const set = (node, values) => {
        for (const each of Object.entries(values)) node.setAttribute(...each);
      };
      set(into, { fill, stroke });
      set(key, { x: 16, y: height + 16 });
      set(text, { x: 32, y: height + 20, "font-size": 12, fill: stroke, stroke: "none" });
      text.textContent = all(".groups summary bdi", figure)[k].textContent;
      into.append(key, text);
      height += 22;
    });
    height += map ? 16 : 0;
    const scale = map ? 1 : 4 / 3, [made, pen] = canvas(width * scale, height * scale);
    copied.setAttribute("viewBox", `0 0 ${width} ${height}`);
    copied.setAttribute("width", 2 * width * scale);
    copied.setAttribute("height", 2 * height * scale);
    copied.setAttribute("font-family", "system-ui, sans-serif");
    const source = new XMLSerializer().serializeToString(copied);
    const image = make("img", { src: "data:image/svg+xml," + encodeURIComponent(source) });
    return image.decode().then(() => {
      pen.drawImage(image, 0, 0, width * scale, height * scale);
      return made;
    });
  }
