  // What may set two sentences apart, and what says nothing: see stslab/studies/differences.py,
  // opposites.py and content.py. Patterns and words come from there, in `lexicon`.
  const patterns = new Map();
  const pattern = (source) => {
    if (!patterns.has(source)) patterns.set(source, new RegExp(source, "giu"));
    return patterns.get(source);
  };
  const matchesOf = (source, text) => text.match(pattern(source)) || [];

  const words = (text) => {
    return text.toLowerCase().replaceAll("’", "'").match(/[\p{L}\p{N}_]+(?:'[\p{L}\p{N}_]+)*/gu) || [];
  };

  // As " ".join(text.split()) in Python; the two languages do not have the same white space.
  const withSingleSpaces = (text, spaces) => text.split(pattern(spaces)).filter(Boolean).join(" ");

  // As Python's casefold: there and back, "ß" is "ss" and a last sigma is any sigma.
  const folded = (c) => c === "ı" ? c : c.toLowerCase().toUpperCase().toLowerCase();

  // Texts that are equal but for case, width of letters and punctuation say the same nothing.
  const plainOf = (text) => {
    const typed = text.normalize("NFKC").replace(/['’‘`´]/g, "");
    const letters = Array.from(typed, folded).join("");
    return (letters.match(/[\p{L}\p{N}]+/gu) || []).join(" ");
  };

  function withoutPoliteWords(plain, politeWords) {
    for (const words of politeWords) {
      let shorter = plain.endsWith(` ${words}`) ? plain.slice(0, -words.length - 1) : plain;
      if (shorter.startsWith(`${words} `)) shorter = shorter.slice(words.length + 1);
      if (shorter !== plain) return withoutPoliteWords(shorter, politeWords);
    }
    return plain;
  }

  function hasContent(text, { emptyAnswers, politeWords, placeholder, spaces }) {
    if (withSingleSpaces(text, spaces).match(pattern(placeholder))) return false;
    const plain = plainOf(text);
    const letters = plain.match(/\p{L}/gu) || [];
    if (letters.length < 2) return letters.length > 0 && /\p{Lo}/u.test(letters[0]);
    return !emptyAnswers.includes(withoutPoliteWords(plain, politeWords));
  }

  function negation(a, b, { negations, denials }) {
    let [one, other] = [a, b].map((text) => matchesOf(negations, text.toLowerCase()));
    if (one.length === other.length) return null;
    if (one.length < other.length) [one, other, a, b] = [other, one, b, a];
    const denied = (text) => matchesOf(denials, text).map((found) => found.toLowerCase());
    const here = denied(a);
    if (denied(b).some((found) => !here.includes(found))) return null;
    const count = (list, item) => list.filter((each) => each === item).length;
    return [...new Set(one)].filter((item) => count(one, item) > count(other, item)).join(", ");
  }

  function otherOrder(a, b) {
    const [one, other] = [words(a), words(b)], sorted = (list) => [...list].sort().join(" ");
    if (one.join(" ") === other.join(" ") || sorted(one) !== sorted(other)) return null;
    // A phrase moved to the front: "In spring it rains", "It rains in spring".
    if (` ${[...other, ...other].join(" ")} `.includes(` ${one.join(" ")} `)) return null;
    return `the same ${one.length} words`;
  }

  const basesOf = (word, { irregular, endings }) => {
    const regular = () => endings.filter(([cut]) => word.endsWith(cut))
      .map(([cut, add]) => word.slice(0, word.length - cut.length) + add);
    return [word, ...Object.hasOwn(irregular, word) ? irregular[word] : regular()];
  };

  function opposite(a, b, lexicon) {
    const [one, other] = [new Set(words(a)), new Set(words(b))], there = new Map();
    const only = (here, not) => [...here].filter((word) => !not.has(word)).sort();
    for (const word of only(other, one)) for (const base of basesOf(word, lexicon)) there.set(base, word);
    const found = only(one, other).flatMap((word) => {
      const known = basesOf(word, lexicon).flatMap((base) => {
        return Object.hasOwn(lexicon.opposites, base) ? lexicon.opposites[base] : [];
      });
      return [...new Set(known)].sort().filter((each) => there.has(each))
        .map((each) => `${word} / ${there.get(each)}`);
    });
    return [...new Set(found)].join(", ") || null;
  }

  function differences(a, b, lexicon) {
    const found = { "a negation": negation(a, b, lexicon), numbers: numberDifference(a, b, lexicon),
      opposites: opposite(a, b, lexicon), "the order of words": otherOrder(a, b) };
    return Object.fromEntries(Object.entries(found).filter(([, detail]) => detail !== null));
  }
