  // The model is unpacked once the page has been painted, checked, and then waits for texts.
  store.set = () => {};

  parts.push(async () => {
    const state = at("state"), start = JSON.parse(at("start").textContent);
    [at("a").value, at("b").value] = start.pair;
    at("lines").value = start.lines.join("\n");
    at("query").value = start.query;
    for (const id of ["a", "b", "lines", "query"]) shorten(at(id));
    await pause();
    try {
      const { model, extra } = await unpack(at("weights"));
      const tokenize = makeTokenizer(model);
      const engine = await makeEngine(decodeBase64(extra.engine), model);
      const encode = encoder(engine, tokenize);
      const live = { engine, tokenize, encode, lexicon: extra, maximum: model.maximum, start };
      const found = await encode(start.check.flatMap(([a, b]) => [a, b]));
      const far = start.check.map((pair, i) => Math.abs(dot(found[2 * i], found[2 * i + 1]) - pair[2]));
      const largest = Math.max(...far), pairs = counted(far.length, "pair");
      if (!(largest <= start.bound)) {
        throw Error(`this browser computes other scores than Python (by ${largest.toFixed(6)})`);
      }
      at("checked").textContent = `Checked on opening: ${pairs} score here as in Python, to within `
        + `${largest.toFixed(8)}.`;
      state.textContent = `Ready. ${pairs} checked against Python.`;
      at("licences").textContent = extra.licences;
      pairView(live);
      listView(live);
    } catch (error) {
      state.className = "caution";
      state.textContent = error instanceof WebAssembly.CompileError || typeof WebAssembly === "undefined"
        ? "This browser does not allow WebAssembly, with which this page computes. Another browser, "
          + "or one without that setting, can open the same file."
        : `This page cannot compute here: ${error.message}. Try a current browser.`;
    }
  });
