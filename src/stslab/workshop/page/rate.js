  // Ratings stay in the page until they are saved; only then it says what the model says.
  store.set = () => {};

  // The rank of each value, from 1; equal values share the mean of their ranks.
  const ranks = (values) => values.map((value) => {
    const lower = values.filter((other) => other < value).length;
    return lower + (values.filter((other) => other === value).length + 1) / 2;
  });

  // Spearman's correlation; NaN where all values of one side are equal.
  function spearman(a, b) {
    const [x, y] = [ranks(a), ranks(b)], middle = (a.length + 1) / 2;
    const sum = (left, right) => left.reduce((s, value, i) => {
      return s + (value - middle) * (right[i] - middle);
    }, 0);
    return sum(x, y) / Math.sqrt(sum(x, x) * sum(y, y));
  }

  parts.push(() => {
    const at = (id) => document.getElementById(id);
    const form = at("rating"), start = JSON.parse(at("start").textContent);
    const random = [...crypto.getRandomValues(new Uint8Array(4))];
    const learner = random.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const boxes = start.pairs.map((_, i) => at(`pair-${i + 1}`));
    const rated = () => boxes.map((box) => box.querySelector("input:checked")?.value ?? "");
    let asked = "", saved = false;

    addEventListener("beforeunload", (event) => {
      if (!saved && rated().some(Boolean)) event.preventDefault();
    });

    form.addEventListener("change", () => {
      at("count").textContent = `${rated().filter(Boolean).length} of ${boxes.length} rated.`;
    });

    // The same file again if it is asked for again: the ratings are locked once scores are seen.
    form.onsubmit = (event) => {
      event.preventDefault();
      const values = rated();
      const open = values.flatMap((value, i) => value ? [] : [i + 1]).join(", ");
      if (!values.some(Boolean)) {
        at("said").textContent = "Rate at least one pair first.";
      } else if (open && open !== asked && !saved) {
        asked = open;
        at("said").textContent = `Not rated: ${open}. Rate what is left, or press the button again `
          + "to save without it.";
      } else {
        save(values);
        if (saved) return;
        saved = true;
        event.submitter.textContent = "Save the file again";
        show(values);
      }
    };

    function save(values) {
      const { format, version, pairs } = start, name = at("name").value.trim();
      const ratings = pairs.flatMap(([pair], i) => {
        return values[i] ? [{ pair, rating: Number(values[i]) }] : [];
      });
      const answers = { format, version, ...(name && { name }), learner, ratings };
      const content = JSON.stringify(answers, null, 1) + "\n";
      const href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
      const download = `ratings-${learner}.json`;
      make("a", { href, download }).click();
      setTimeout(() => URL.revokeObjectURL(href), 10000);
      at("said").textContent = `Saved as ${download}. Hand this file in.`;
    }

    function show(values) {
      const both = [];
      boxes.forEach((box, i) => {
        const [, score] = start.pairs[i], written = score.toFixed(4).replace("-", "−");
        for (const input of all("input", box)) input.disabled = true;
        const mine = values[i] ? `You: ${values[i]}.` : "Not rated.";
        box.append(make("p", { className: "score", textContent: `${mine} The model: ${written}.` }));
        if (values[i]) both.push([Number(values[i]), score]);
      });
      const found = spearman(both.map(([mine]) => mine), both.map(([, score]) => score));
      at("agreement").textContent = both.length < 5 || Number.isNaN(found)
        ? "A rank correlation takes five ratings or more that are not all the same."
        : `Over ${both.length} pairs, your order and the model’s agree with a Spearman correlation of `
          + `${found.toFixed(2).replace("-", "−")} (1: the same order; 0: no relation; −1: reversed).`;
      at("result").hidden = false;
      at("result").focus();
    }
  });
