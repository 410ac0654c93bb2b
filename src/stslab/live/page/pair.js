  // Two sentences: the score, what it is worth, the cautions, and the words that carry it.
  const NAMES = ["The first sentence", "The second sentence"];
  const oneLine = (field) => field.value.replace(/\s*\n\s*/g, " ");
  const keyOf = (a, b) => JSON.stringify([a, b]);

  // The text as typed, with its words shaded by what they add.
  function worded(text, words, shares, most) {
    const made = make("p", { className: "worded" });
    let from = 0;
    words.forEach((word, i) => {
      const start = text.indexOf(word, from);
      made.append(text.slice(from, start));
      const title = `${fixed(shares[i], 4)} of the score`;
      made.append(make("span", { textContent: word, title, className: step(shares[i] / most) }));
      from = start + word.length;
    });
    made.append(text.slice(from));
    return made;
  }

  // What of a field's text is read; nothing where all of it is.
  function cutNote(name, field, { cut }, maximum) {
    const tokens = cut ? `${cut} tokens, of which the model reads ${maximum}` : "";
    if (field.cut) return `${name} is cut at ${LIMIT}${tokens && `; these have ${tokens}`}.`;
    return tokens && `${name} has ${tokens}.`;
  }

  function cautionsOf(texts, fields, { tokenize, lexicon, maximum }) {
    const found = Object.entries(differences(texts[0], texts[1], lexicon));
    const said = found.map(([caution, detail]) => `${caution} (${detail})`);
    const lines = said.length ? [`They may differ in meaning: ${listed(said)}.`] : [];
    texts.forEach((text, i) => {
      if (!hasContent(text, lexicon)) lines.push(`${NAMES[i]} says nothing that a model could read.`);
      lines.push(cutNote(NAMES[i], fields[i], tokenize(text), maximum));
    });
    return lines.filter(Boolean).map((line) => paragraph(line, "caution"));
  }

  function pairView(live) {
    const { engine, tokenize, lexicon, encode, start } = live;
    const fields = [at("a"), at("b")], toggle = at("guessing"), seen = new Set(), guesses = [];
    const learner = [...crypto.getRandomValues(new Uint8Array(4))].map((n) => n.toString(16).padStart(2, 0)).join("");
    let guessing = false;
    const hidden = (texts) => guessing && !seen.has(keyOf(...texts));

    const update = afterTyping(async (wanted) => {
      const texts = fields.map(oneLine), blank = texts.some((text) => !text.trim());
      at("guess").hidden = blank || !hidden(texts);
      const vectors = blank ? null : await encode(texts, wanted);
      if (!vectors) return at("answer").replaceChildren(...blank ? [paragraph("Type two sentences.")] : []);
      if (hidden(texts)) {
        at("answer").replaceChildren();
        at("why").hidden = true;
        return;
      }
      const score = dot(...vectors), { expected, low, high, why } = worth(score, texts, lexicon);
      const lines = [make("div", { className: "big" }, fixed(score, 4))];
      if (expected !== undefined) {
        const range = `${fixed(low, 1)} to ${fixed(high, 1)}`;
        const share = 100 * percentile(score, lexicon);
        const less = share > 99.9 ? "more than 99.9" : share < 0.1 ? "fewer than 0.1" : fixed(share, 1);
        lines.push(paragraph(`People would give such a pair about ${fixed(expected, 1)} of 5 (most `
          + `pairs: ${range}). Of random pairs of English sentences, `
          + `${less}% score less.`));
      } else {
        lines.push(paragraph(why));
      }
      lines.push(paragraph(`The tutorial's band: ${band(score, lexicon)}.`));
      at("answer").replaceChildren(...lines, ...cautionsOf(texts, fields, live));
      at("why").hidden = false;
      if (at("why").open) explained(texts, wanted);
    });

    // Shaded words, every word against every word, and the score without each.
    async function explained(texts, wanted) {
      const box = at("why").lastElementChild;
      const { score, words, table: sums } = explain(engine, tokenize, ...texts);
      const rows = sums.map((row) => row.reduce((a, b) => a + b, 0));
      const columns = sums[0].map((_, j) => sums.reduce((all, row) => all + row[j], 0));
      const shares = [rows, columns], most = Math.max(...shares.flat().map(Math.abs));
      const special = rows.at(-1) + columns.at(-1) - sums.at(-1).at(-1);
      const shaded = texts.map((text, i) => worded(text, words[i], shares[i], most));
      const said = `The score is a sum over pairs of tokens: ${fixed(score, 4)} in all, of which `
        + `pairs with the special tokens [CLS] and [SEP] add ${fixed(special, 4)}. The stronger its `
        + "colour, the more a word adds to the sum (red) or takes from it (blue).";
      const read = texts.map((text, i) => {
        const { ids, words: all } = tokenize(text), pieces = all.flatMap((word) => word.pieces);
        return paragraph(`${NAMES[i]}'s ${ids.length} tokens: [CLS] ${pieces.join(" ")} [SEP]`);
      });
      const named = (side) => [...words[side].map((word) => ["", word]), ["", "[CLS] [SEP]"]];
      const peak = Math.max(...sums.flat().map(Math.abs));
      const caption = `What each pair of words adds: in all ${fixed(score, 4)}`;
      const heat = coloured(caption, named(0), named(1), sums, {
        shade: (value) => value / peak,
        digits: (value) => fixed(value, 3).replace(/0(?=\.)/, ""),
      });
      heat.classList.add("words");
      const heads = ["word", ...named(1).map(([, word]) => word)];
      const csv = () => [heads, ...sums.map((row, i) => {
        return [named(0)[i][1], ...row.map((value) => value.toFixed(6))];
      })];
      const waiting = paragraph("Taking out one word after the other …");
      box.replaceChildren(paragraph(said), ...shaded, ...read, scrolled(heat), tools("words", csv), waiting);
      const without = await leaveOut(engine, tokenize, ...texts);
      if (!wanted()) return;
      const out = [0, 1].flatMap((side) => words[side].map((word, i) => {
        const left = without[side][i];
        const change = left === null ? ["–", "–"] : [left, score - left];
        return [["first", "second"][side], word, shares[side][i], ...change];
      }));
      const names = ["sentence", "word", "adds to the sum", "score without it", "change"];
      waiting.replaceWith(
        paragraph("The model's own answer may differ: the score that it gives when the word is "
          + "taken out. Every other word is then read in another context."),
        table("Each word, in the sum and taken out", names, out), tools("words", namedRows(names, out)));
    }
    at("why").ontoggle = () => { if (at("why").open) update(true); };

    function guess() {
      const value = parseFloat(at("guessed").value.replace(",", ".")), texts = fields.map(oneLine);
      if (!(value >= -1 && value <= 1)) {
        at("tally").textContent = "A guess is a number from −1 to 1.";
        return;
      }
      encode(texts).then(([a, b]) => {
        const score = dot(a, b), mean = (list) => list.reduce((x, y) => x + y, 0) / list.length;
        guesses.push({ guess: value, score: +score.toFixed(6) });
        const off = guesses.map((each) => Math.abs(each.guess - each.score));
        seen.add(keyOf(...texts));
        const half = guesses.length >> 1, far = (list) => fixed(mean(list), 2);
        const halves = half ? `: the first ${half} by ${far(off.slice(0, half))}, the last `
          + `${half} by ${far(off.slice(-half))}` : "";
        at("tally").textContent = `You guessed ${fixed(value, 2)}, the score is ${fixed(score, 2)}. `
          + `${guesses.length} guess${guesses.length === 1 ? "" : "es"}, off by `
          + `${far(off)} on average${halves}. `;
        at("tally").append(button("Save my guesses", () => save(`guesses-${learner}.json`, "application/json",
          JSON.stringify({ format: "stslab-class", version: 1, learner, guesses }))));
        at("guessed").value = "";
        update(true);
        if (live.pairs) live.pairs();
      });
    }
    at("look").onclick = guess;
    at("guessed").onkeydown = (event) => { if (event.key === "Enter") guess(); };
    toggle.onclick = () => {
      guessing = !guessing;
      toggle.setAttribute("aria-pressed", guessing);
      toggle.firstElementChild.textContent = guessing ? "on" : "off";
      at("tally").textContent = guessing ? "Scores of two sentences are hidden until you guess." : "";
      update(true);
      if (live.pairs) live.pairs();
    };
    for (const field of fields) whenFilled(field, update);

    // Pairs that the page was made with, to look at one by one.
    if (start.pairs.length) live.pairs = async () => {
      const all = await encode(start.pairs.flat());
      const rows = start.pairs.map(([a, b], i) => [dot(all[2 * i], all[2 * i + 1]), a, b]);
      if (!guessing) rows.sort((x, y) => y[0] - x[0]);
      const shown = rows.map(([score, a, b]) => [
        button("Look at", () => {
          [fields[0].value, fields[1].value] = [a, b];
          fields.forEach((field) => shorten(field));
          update(true);
          fields[0].scrollIntoView();
          fields[0].focus({ preventScroll: true });
        }),
        hidden([a, b]) ? "?" : score, a, b,
        hidden([a, b]) ? "" : listed(Object.keys(differences(a, b, lexicon))),
      ]);
      const heads = ["score", "sentence a", "sentence b", "may differ in"];
      const csv = namedRows(heads, shown.map((row) => row.slice(1)));
      at("pairs").replaceChildren(table(`${counted(rows.length, "pair")}`, ["", ...heads], shown), tools("pairs", csv));
    };
    live.pairs?.();
    update(true);
  }
