  // A list: heatmap, closest pairs, groups that say nearly the same, and one sentence against all.
  const LINES = 1000, CELLS = 40, SHOWN = 20, OPEN = 6;
  const NOT_MEASURED = "From which score on two sentences say nearly the same was not measured for this model.";
  const NO_THEMES = "Themes, which the report finds in a list of a dozen texts or more, are not computed here.";

  function listView(live) {
    const { lexicon, encode, tokenize, maximum } = live, field = at("lines");
    let lines = [], texts = [], picture;

    const update = afterTyping(async (wanted) => {
      const typed = field.value.split("\n").filter((line) => line.trim());
      const read = typed.slice(0, LINES), different = differentTexts(read, lexicon);
      const tell = (done, all) => { at("said").textContent = `Reading sentence ${done} of ${all} …`; };
      const vectors = await encode(different.map(({ text }) => text), wanted, tell);
      if (!vectors) return;
      [lines, texts] = [read, different];
      at("said").textContent = noted(typed);
      readout.hide();
      live.hits();
      if (texts.length < 2) {
        at("list").replaceChildren(paragraph("Two different sentences make a heatmap: type another line."));
        return;
      }
      await pause();
      if (wanted()) at("list").replaceChildren(...drawn(vectors));
    });

    function noted(typed) {
      const empty = texts.filter((each) => !each.hasContent).length;
      const cut = texts.filter(({ text }) => tokenize(text).cut).length;
      const notes = [counted(lines.length, "sentence")];
      if (typed.length > LINES) {
        notes[0] = `The first ${LINES.toLocaleString("en")} of ${typed.length.toLocaleString("en")} sentences`;
      }
      if (lines.length > texts.length) notes.push(`${lines.length - texts.length} repeated`);
      if (empty) notes.push(`${empty} without content`);
      if (cut) notes.push(`${cut} cut at ${maximum} tokens`);
      if (field.cut) notes.push(`${field.cut} cut at ${LIMIT}`);
      return notes.join(", ") + ".";
    }

    function drawn(vectors) {
      const n = texts.length, matrix = similarities(vectors), order = alikeTogether(matrix, n);
      const heads = order.map((i) => [String(texts[i].rows[0]), texts[i].text]);
      const caption = `How similar is each of ${n} sentences to each other?`;
      const ordered = new Float32Array(n * n);
      order.forEach((i, row) => order.forEach((j, column) => { ordered[row * n + column] = matrix[i * n + j]; }));
      const square = Array.from({ length: n }, (_, i) => ordered.subarray(i * n, (i + 1) * n));
      let heat, pictured;
      if (n <= CELLS) {
        heat = coloured(caption, heads, heads, square);
        picture = make("div", { className: "figure" }, scrolled(heat), legend(["−1", "1"]));
        heatmap(heat);
        pictured = () => pictureOf(picture);
      } else {
        heat = dots(caption, heads, ordered, n);
        picture = make("div", { className: "figure" }, paragraph(caption), heat, legend(["−1", "1"]));
        pictured = () => new Promise((done) => heat.toBlob(done));
      }
      const csv = () => [["", ...heads.map(([, text]) => text)], ...square.map((row, i) => {
        return [heads[i][1], ...Array.from(row, (value) => value.toFixed(6))];
      })];
      picture.append(tools("heatmap", csv, pictured));
      return [picture, ...closest(matrix), ...groups(matrix)];
    }

    function closest(matrix) {
      const same = lexicon.same, pairs = closestPairs(texts, matrix, same ?? -1);
      const rows = pairs.map(({ score, a, b }) => {
        return [score, a.text, b.text, listed(Object.keys(differences(a.text, b.text, lexicon)))];
      });
      const close = rows.filter(([score]) => same !== null && score >= Math.fround(same));
      const differ = close.filter((row) => row[3]).length;
      let said = same === null ? "" : `No pair scores ${same} or more.`;
      if (close.length) {
        said = `${counted(close.length, "pair")} score${close.length === 1 ? "s" : ""} ${same} or more`
          + `${differ ? `; ${differ} may differ in meaning` : ""}.`;
      }
      const heads = ["score", "sentence a", "sentence b", "may differ in"];
      const caption = rows.length > SHOWN ? `The ${SHOWN} closest of ${rows.length} pairs` : "The closest pairs";
      return [make("h3", { textContent: "Closest pairs" }), ...said ? [paragraph(said)] : [],
        table(caption, heads, rows.slice(0, SHOWN)), tools("pairs", namedRows(heads, rows))];
    }

    function groups(matrix) {
      const same = lexicon.same, together = same === null ? [] : nearlyTheSame(texts, matrix, same);
      const found = together.map((group) => byTypicality(group, matrix, texts.length).map((i) => texts[i]));
      const lists = found.map((members) => {
        const items = members.map(({ text, rows }) => {
          const differ = Object.keys(differences(members[0].text, text, lexicon));
          const notes = rows.length > 1 ? [`${rows.length} times`] : [];
          if (differ.length) notes.push(`may differ in ${listed(differ)}`);
          return make("li", {}, make("bdi", { textContent: text }), notes.length ? ` (${notes.join("; ")})` : "");
        });
        const times = members.flatMap(({ rows }) => rows).length;
        const rows = times > members.length ? `, ${times} rows` : "";
        const summary = make("summary", {}, make("bdi", { textContent: quote(members[0].text) }),
          ` (${members.length} sentences${rows})`);
        return make("details", { open: found.length <= OPEN }, summary, make("ul", {}, ...items));
      });
      const inGroup = new Set(found.flat());
      let said = same === null ? NOT_MEASURED : "No two sentences say nearly the same.";
      if (found.length) {
        said = `${counted(found.length, "group")} of sentences that say nearly the same: every two of `
          + `a group score ${same} or more. ${found.length === 1 ? "It holds" : "They hold"} `
          + `${inGroup.size} of ${texts.length} different sentences.`;
      }
      const rest = texts.filter((text) => !inGroup.has(text));
      const csvRows = [...found, rest].flatMap((members, i) => members.map(({ text, rows }) => {
        return [found[i] ? i + 1 : "", text, rows.length, rows.join(", ")];
      }));
      return [make("h3", { textContent: "What says nearly the same" }), paragraph(`${said} ${NO_THEMES}`), ...lists,
        tools("groups", namedRows(["group", "sentence", "times", "rows"], csvRows))];
    }

    const query = at("query");
    live.hits = afterTyping(async (wanted) => {
      const asked = oneLine(query), box = at("hits");
      if (!asked.trim() || !texts.length) {
        box.replaceChildren(paragraph("Type a sentence; the list above is ranked against it."));
        return;
      }
      const vectors = await encode([asked, ...texts.map(({ text }) => text)], wanted);
      if (!vectors) return;
      const ranked = rank(vectors[0], vectors.slice(1));
      const rows = ranked.map(({ index, score }, i) => {
        const { text, rows: [row] } = texts[index];
        return [i + 1, score, row, text, listed(Object.keys(differences(asked, text, lexicon)))];
      });
      const heads = ["rank", "score", "row", "text", "may differ in"];
      const caption = rows.length > SHOWN ? `The ${SHOWN} nearest of ${rows.length}` : "The list, nearest first";
      const note = cutNote("The sentence", query, tokenize(asked), maximum);
      const cautions = note ? [paragraph(note, "caution")] : [];
      box.replaceChildren(paragraph(verdict(rows[0][1])), ...cautions, table(caption, heads, rows.slice(0, SHOWN)),
        tools("hits", namedRows(heads, rows)));
    });
    const verdict = (score) => ({
      near: "Its nearest text is near enough to trust.",
      doubtful: "It is doubtful whether a text is near enough.",
      "nothing near": "No text is near enough to trust.",
    }[judge(score, lexicon)] || "For this model it is not known which score is near enough.");

    at("open").onchange = async ({ target }) => {
      const bytes = new Uint8Array(await target.files[0].arrayBuffer());
      let text;
      try {
        text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      } catch {
        text = new TextDecoder("windows-1252").decode(bytes);
      }
      field.value = text.replace(/\r\n?/g, "\n");
      shorten(field);
      target.value = "";
      update(true);
    };
    at("take").append(
      button("Save as text", () => save("sentences.txt", "text/plain", lines.join("\n") + "\n")),
      button("Copy", async () => {
        await copy(lines.join("\n") + "\n");
        say("Copied.");
      }));
    whenFilled(field, update);
    whenFilled(query, live.hits);
    // Dots are painted, so that another theme needs other paint.
    const repaint = () => picture?.querySelector("canvas")?.paint();
    at("theme").addEventListener("click", repaint);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    update(true);
  }
