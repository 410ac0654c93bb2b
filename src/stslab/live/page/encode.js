  // Texts → vectors, each text once, with pauses in which the page answers.
  const KEPT = 5000, SLICE = 40, TOGETHER = 96;
  const pause = () => new Promise((done) => setTimeout(done));

  // A model reads a few hundred tokens, but a browser lays out a line of a megabyte for a minute. So
  // a field is cut before that; the page says so, and what is left is what is read. Python's own
  // tokenizer reads 256,000 characters; white space adds nothing to a score.
  const LONGEST = 20_000, READ = 256_000, LIMIT = "20,000 characters";
  const tooLong = (text) => text.length > LONGEST;
  const shortened = (text) => {
    if (!tooLong(text)) return text;
    const read = text.slice(0, READ).replace(/[ \t\r\n]+/g, " ").trimStart();
    return read.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, ""); // no half of a character
  };
  const shorten = (field, text = field.value) => {
    const texts = field.id === "lines" ? text.split("\n") : [text];
    field.cut = texts.filter(tooLong).length;
    if (field.cut) field.value = texts.map(shortened).join("\n");
  };
  const whenFilled = (field, update) => {
    field.oninput = () => {
      shorten(field);
      update();
    };
    field.onbeforeinput = (event) => {
      const { value, selectionStart, selectionEnd } = field, text = event.data ?? "";
      if (!tooLong(text)) return;
      shorten(field, value.slice(0, selectionStart) + text + value.slice(selectionEnd));
      if (!field.cut) return;
      event.preventDefault();
      update();
    };
  };

  function encoder(engine, tokenize) {
    const vectors = new Map();
    // Gives null once `wanted` says that somebody typed on.
    return async (texts, wanted = () => true, tell = () => {}) => {
      const missing = [...new Set(texts)].filter((text) => !vectors.has(text));
      let since = performance.now(), done = 0;
      while (done < missing.length) {
        const batch = [];
        let tokens = 0;
        while (done < missing.length && (!batch.length || tokens < TOGETHER)) {
          const { ids } = tokenize(missing[done++]);
          batch.push(ids);
          tokens += ids.length;
        }
        engine.embed(batch).forEach((vector, i) => {
          vectors.set(missing[done - batch.length + i], vector);
        });
        if (performance.now() - since < SLICE) continue;
        tell(done, missing.length);
        await pause();
        if (!wanted()) return null;
        since = performance.now();
      }
      const found = texts.map((text) => vectors.get(text));
      for (const text of vectors.keys()) {
        if (vectors.size <= KEPT) break;
        vectors.delete(text);
      }
      return found;
    };
  }

  // Work that starts once typing rests; what it awaits is dropped when typing goes on.
  function afterTyping(work) {
    let run = 0, wait;
    return (now) => {
      const mine = ++run;
      clearTimeout(wait);
      wait = setTimeout(() => work(() => mine === run), now === true ? 0 : 150);
    };
  }
