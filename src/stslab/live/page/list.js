  // A list: heatmap, closest pairs and groups, and one sentence against all of it.
  const LINES = 1000, CELLS = 40, NEAR_SAME = 0.8, SHOWN = 20;

  function listView(live) {
    const { lexicon, encode, tokenize, maximum } = live, field = at("lines");
    let sentences = [], picture;

    const update = afterTyping(async (wanted) => {
      const typed = field.value.split("\n").filter((line) => line.trim());
      const lines = typed.slice(0, LINES), unique = [...new Set(lines)];
      const tell = (done, all) => { at("said").textContent = `Reading sentence ${done} of ${all} …`; };
      const vectors = await encode(unique, wanted, tell);
      if (!vectors) return;
      sentences = lines;
      at("said").textContent = noted(typed, unique);
      readout.hide();
      live.hits();
      if (unique.length < 2) {
        at("list").replaceChildren(paragraph("Two different sentences make a heatmap: type another line."));
        return;
      }
      await pause();
      if (wanted()) at("list").replaceChildren(...drawn(lines, unique, vectors));
    });

    function noted(typed, unique) {
      const lines = Math.min(typed.length, LINES), empty = unique.filter((text) => !hasContent(text, lexicon));
      const cut = unique.filter((text) => tokenize(text).cut).length;
      const notes = [counted(lines, "sentence")];
      if (typed.length > LINES) {
        notes[0] = `The first ${LINES.toLocaleString("en")} of ${typed.length.toLocaleString("en")} sentences`;
      }
      if (lines > unique.length) notes.push(`${lines - unique.length} repeated`);
      if (empty.length) notes.push(`${empty.length} without content`);
      if (cut) notes.push(`${cut} cut at ${maximum} tokens`);
      if (field.cut) notes.push(`${field.cut} cut at ${LIMIT}`);
      return notes.join(", ") + ".";
    }

    function drawn(lines, unique, vectors) {
      const found = groupSentences(lines, new Map(unique.map((text, i) => [text, vectors[i]])), lexicon);
      const { table: rows, matrix, terms } = found, n = rows.length;
      const heads = rows.map(({ row, sentence }) => [String(row), sentence]);
      const caption = `How similar is each of ${n} sentences to each other?`;
      const square = Array.from({ length: n }, (_, i) => matrix.subarray(i * n, (i + 1) * n));
      let heat, pictured;
      if (n <= CELLS) {
        heat = coloured(caption, heads, heads, square);
        picture = make("div", { className: "figure" }, scrolled(heat), legend(["−1", "1"]));
        heatmap(heat);
        pictured = () => pictureOf(picture);
      } else {
        heat = dots(caption, heads, matrix, n);
        picture = make("div", { className: "figure" }, paragraph(caption), heat, legend(["−1", "1"]));
        pictured = () => new Promise((done) => heat.toBlob(done));
      }
      const csv = () => [["", ...heads.map(([, text]) => text)], ...square.map((row, i) => {
        return [heads[i][1], ...Array.from(row, (value) => value.toFixed(6))];
      })];
      picture.append(tools("heatmap", csv, pictured));
      return [picture, ...closest(found), ...groups(rows, terms)];
    }

    function closest(found) {
      const pairs = closestPairs(found, NEAR_SAME);
      const rows = pairs.map(({ score, sentence_a: a, sentence_b: b }) => {
        return [score, a, b, listed(Object.keys(differences(a, b, lexicon)))];
      });
      const differ = rows.filter((row) => row[0] >= NEAR_SAME && row[3]).length;
      const close = rows.filter((row) => row[0] >= NEAR_SAME).length;
      const some = `${counted(close, "pair")} score${close === 1 ? "s" : ""} ${NEAR_SAME} or more`;
      const said = close ? `${some}${differ ? `; ${differ} may differ in meaning` : ""}.`
        : `No pair scores ${NEAR_SAME} or more.`;
      const heads = ["score", "sentence a", "sentence b", "may differ in"];
      const caption = rows.length > SHOWN ? `The ${SHOWN} closest of ${rows.length} pairs` : "The closest pairs";
      return [make("h3", { textContent: "Closest pairs" }), paragraph(said),
        table(caption, heads, rows.slice(0, SHOWN)), tools("pairs", namedRows(heads, rows))];
    }

    function groups(rows, terms) {
      const lists = terms.map((about, i) => {
        const members = rows.filter(({ group }) => group === i + 1);
        const times = members.reduce((sum, row) => sum + row.times, 0);
        const items = members.map(({ sentence, times: said }) => {
          return make("li", {}, make("bdi", { textContent: sentence }), said > 1 ? ` (${said} times)` : "");
        });
        const summary = make("summary", {}, make("bdi", { textContent: about || "a group" }), ` (${times})`);
        return make("details", { open: terms.length <= 6 }, summary, make("ul", {}, ...items));
      });
      const alone = rows.filter(({ group }) => group === 0);
      const heads = ["group", "about", "row", "sentence", "times"];
      const csv = namedRows(heads, rows.map(({ group, row, sentence, times }) => {
        return [group, terms[group - 1] || "", row, sentence, times];
      }));
      const said = terms.length ? `${counted(terms.length, "group")}; ${alone.length} of `
        + `${counted(rows.length, "different sentence")} ${alone.length === 1 ? "stands" : "stand"} alone.`
        : "No two sentences form a group.";
      return [make("h3", { textContent: "Groups" }), paragraph(said), ...lists, tools("groups", csv)];
    }

    const query = at("query");
    live.hits = afterTyping(async (wanted) => {
      const asked = oneLine(query), box = at("hits");
      if (!asked.trim() || !sentences.length) {
        box.replaceChildren(paragraph("Type a sentence; the list above is ranked against it."));
        return;
      }
      const unique = [...new Set(sentences)], vectors = await encode([asked, ...unique], wanted);
      if (!vectors) return;
      const ranked = rank(vectors[0], vectors.slice(1));
      const rows = ranked.map(({ index, score }, i) => {
        const text = unique[index];
        return [i + 1, score, sentences.indexOf(text) + 1, text, listed(Object.keys(differences(asked, text, lexicon)))];
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
      button("Save as text", () => save("sentences.txt", "text/plain", sentences.join("\n") + "\n")),
      button("Copy", async () => {
        await copy(sentences.join("\n") + "\n");
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
