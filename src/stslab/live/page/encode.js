  // Texts → vectors, each text once, with pauses in which the page answers.
  const KEPT = 5000, SLICE = 40, TOGETHER = 96;
  const pause = () => new Promise((done) => setTimeout(done));

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
