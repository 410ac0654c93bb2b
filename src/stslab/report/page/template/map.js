  const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

  function chart(box) {
    const svg = box.querySelector("svg"), groups = all(".groups > li", box.parentNode);
    const told = new Map();
    all("g", svg).forEach((group, k) => {
      const name = groups[k].querySelector("summary bdi").textContent;
      const members = all("ol > li", groups[k]);
      [...group.children].forEach((point, i) => {
        told.set(point, [name, [members[i].value, members[i].textContent]]);
        point.dataset.text = members[i].textContent;
        const { textContent } = point.firstElementChild;
        point.replaceChildren();
        point.setAttribute("role", "img");
        point.setAttribute("aria-label", `${textContent} (${name})`);
      });
    });
    const points = [...told.keys()];
    const at = (point) => [+point.getAttribute("x"), +point.getAttribute("y")];
    svg.setAttribute("role", "group");
    const hide = () => {
      for (const one of all(".on", svg)) one.classList.remove("on");
      readout.hide();
    };
    asked(svg, points, {
      find(event) {
        if (event.clientX === undefined) return told.has(event.target) && event.target;
        const seen = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / seen.width;
        const x = (event.clientX - seen.left) * scale, y = (event.clientY - seen.top) * scale;
        const far = (point) => Math.hypot(at(point)[0] - x, at(point)[1] - y);
        const near = points.reduce((a, b) => (far(b) < far(a) ? b : a));
        return far(near) < 24 * scale ? near : null;
      },
      show(point) {
        hide();
        point.classList.add("on");
        readout.show(point, ...told.get(point));
      },
      hide,
      move({ key }, from) {
        if (key === "Home" || key === "End") return points.at(key === "Home" ? 0 : -1);
        if (!ARROWS[key]) return null;
        const [right, down] = ARROWS[key], [x, y] = at(from);
        let best = null, least = Infinity;
        for (const point of points) {
          const dx = at(point)[0] - x, dy = at(point)[1] - y, ahead = dx * right + dy * down;
          const cost = ahead + 2 * Math.abs(dx * down + dy * right);
          if (ahead > 0 && cost < least) [best, least] = [point, cost];
        }
        return best;
      },
    });
  }

  parts.push(() => all(".map").forEach(chart));
