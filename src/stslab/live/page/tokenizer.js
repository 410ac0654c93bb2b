// BERT's uncased WordPiece tokenizer, with Python's own table of what becomes of each character.

const HANGUL = [0xAC00, 0xD7A3];
const LONGEST_WORD = 100;

// What a character becomes; a space in it ends a word. See stslab/live/characters.py.
const makeReplacer = (ranges) => {
  const known = new Map();
  const find = (code) => {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (ranges[middle][0] <= code) low = middle + 1;
      else high = middle;
    }
    if (!low) return undefined;
    const [start, count, text, distance, step] = ranges[low - 1];
    const inside = code < start + count * step && (code - start) % step === 0;
    return inside ? text.replace("*", () => String.fromCodePoint(code + distance)) : undefined;
  };
  return (character) => {
    let text = known.get(character);
    if (text === undefined) {
      const code = character.codePointAt(0);
      const hangul = HANGUL[0] <= code && code <= HANGUL[1];
      text = hangul ? character.normalize("NFD") : find(code) ?? character;
      known.set(character, text);
    }
    return text;
  };
};

// A function that gives a text's token ids and words:
//   ids    with [CLS] and [SEP], at most model.maximum
//   words  { text, start, end, first, last, pieces }: the word as typed, where it stands in the
//          text, the places of its first and last token in ids, its tokens as the vocabulary
//          has them
//   cut    how many ids the whole text has, where those are too many; else 0
const makeTokenizer = (model) => {
  const ids = new Map(model.vocabulary.map((piece, id) => [piece, id]));
  const replacement = makeReplacer(model.characters);
  const escaped = model.special.map((token) => token.replace(/[^\w]/g, "\\$&"));
  const special = new RegExp(`(${escaped.join("|")})`);

  // The words of text that stands at `offset`: their characters after replacement, and where.
  const wordsOf = (text, offset, words) => {
    let word = null;
    let at = offset;
    for (const character of text) {
      const end = at + character.length;
      for (const each of replacement(character)) {
        if (each === " ") word = null;
        else {
          if (!word) words.push(word = { characters: [], start: at, end });
          word.characters.push(each);
          word.end = end;
        }
      }
      at = end;
    }
  };

  // The longest pieces that the vocabulary has, from the left; [UNK] if that fails anywhere.
  const split = (characters) => {
    const pieces = [];
    for (let from = 0, end; from < characters.length; from = end) {
      if (characters.length > LONGEST_WORD) return ["[UNK]"];
      const piece = () => (from ? "##" : "") + characters.slice(from, end).join("");
      for (end = characters.length; end > from && !ids.has(piece());) end--;
      if (end === from) return ["[UNK]"];
      pieces.push(piece());
    }
    return pieces;
  };

  return (text) => {
    const found = [];
    let offset = 0;
    for (const part of text.split(special)) {
      const end = offset + part.length;
      if (model.special.includes(part)) found.push({ pieces: [part], start: offset, end });
      else wordsOf(part, offset, found);
      offset = end;
    }
    const all = ["[CLS]"];
    const words = [];
    for (const { characters, start, end, ...token } of found) {
      const first = all.length;
      all.push(...token.pieces ?? split(characters));
      const last = Math.min(all.length, model.maximum - 1) - 1;
      if (first > last) continue;
      const pieces = all.slice(first, last + 1);
      words.push({ text: text.slice(start, end), start, end, first, last, pieces });
    }
    const kept = [...all.slice(0, model.maximum - 1), "[SEP]"].map((piece) => ids.get(piece));
    const whole = all.length + 1;
    return { ids: kept, words, cut: whole > model.maximum ? whole : 0 };
  };
};
