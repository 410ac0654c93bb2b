  // What a score is worth, from the tables that Python ships; see stslab/studies/calibration.py.
  function interpolated(x, xs, ys) {
    if (!(x > xs[0])) return ys[0];
    const after = xs.findIndex((knot) => knot >= x);
    if (after < 0) return ys.at(-1);
    const share = (x - xs[after - 1]) / (xs[after] - xs[after - 1]);
    return ys[after - 1] + share * (ys[after] - ys[after - 1]);
  }

  // Most letters are not Latin: all that is told of a language here.
  function otherScript(text) {
    const letters = [...text.slice(0, 1000).normalize("NFKC")].filter((c) => /\p{L}/u.test(c));
    return letters.filter((c) => /\p{Script=Latin}/u.test(c)).length * 2 < letters.length;
  }

  function unlike(texts, { wordLimits: [fewest, most] }) {
    const of = `of ${counted(texts.length, "text")}`, is = (n) => n === 1 ? "is" : "are";
    const reasons = {
      "likely not in English": texts.filter(otherScript),
      [`shorter than ${fewest} words or longer than ${most}`]: texts.filter((text) => {
        const n = words(text).length;
        return n < fewest || n > most;
      }),
    };
    for (const [reason, found] of Object.entries(reasons)) {
      if (found.length > texts.length / 10) {
        return `What people would say is not known here: ${found.length} ${of} ${is(found.length)} `
          + `${reason}, unlike the pairs that were measured.`;
      }
    }
    return "";
  }

  function worth(score, texts, lexicon) {
    const { calibration } = lexicon;
    const why = calibration ? unlike(texts, lexicon) : lexicon.silence;
    if (why) return { why };
    const at = (name) => interpolated(score, calibration.score, calibration[name]);
    return { expected: at("expected_gold"), low: at("low"), high: at("high") };
  }

  const percentile = (score, { random }) => interpolated(score, random.score, random.share);

  const band = (score, { bands }) => bands.find(([least]) => score >= least)[1];
